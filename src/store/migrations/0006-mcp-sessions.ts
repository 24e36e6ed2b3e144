/** Sessions of 2025-era MCP clients: alive across restarts, and in every process that shares the database. */
export const mcpSessions: readonly string[] = [
  `create table "mcpSessions" (
    "id" text primary key,
    "bot" text not null,
    "principal" text not null,
    "indexValue" text,
    "client" text not null,
    "usedAt" bigint not null,
    "calls" bigint not null,
    "busyUntil" bigint not null
  )`,
  `create index "mcpSessions_bot" on "mcpSessions" ("bot", "usedAt")`,
];
