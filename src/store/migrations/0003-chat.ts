/** Conversations of our own chat. What was said is only ever added to. */
export const chat: readonly string[] = [
  `create table conversations (
    "id" text primary key,
    "bot" text not null,
    "owner" text not null,
    "session" text,
    "context" text,
    "cards" text not null,
    "turn" text,
    "turnUntil" bigint not null,
    "createdAt" bigint not null,
    "updatedAt" bigint not null
  )`,
  `create table messages (
    "conversation" text not null references conversations ("id"),
    "seq" bigint not null,
    "at" bigint not null,
    "message" text not null,
    primary key ("conversation", "seq")
  )`,
];
