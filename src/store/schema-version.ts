/** How many steps `MIGRATIONS` has: a start that finds a schema of this version loads none of them (F1). */
export const SCHEMA_VERSION = 26;
