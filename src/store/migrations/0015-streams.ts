/** How far each channel of an org's event stream was heard, and which process listens. */
export const streams: readonly string[] = [
  `create table streams (
    "bot" text not null,
    "orgId" text not null,
    "channel" text not null,
    "object" text not null,
    "replayId" text,
    "state" text not null,
    "since" bigint not null,
    "error" text,
    "retryAt" bigint not null,
    "lastEventAt" bigint,
    "lastGapAt" bigint,
    "day" text not null,
    "delivered" bigint not null,
    "wanted" bigint not null default 0,
    "polled" bigint not null default 0,
    "reconcile" bigint not null default 0,
    "reconciled" bigint not null default 0,
    primary key ("bot", "orgId", "channel")
  )`,
  `create table "streamLeases" (
    "bot" text not null,
    "orgId" text not null,
    "owner" text,
    "until" bigint not null,
    "fence" bigint not null,
    primary key ("bot", "orgId")
  )`,
];
