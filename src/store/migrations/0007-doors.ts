/** A message from outside is a hint: what it claimed is kept nowhere. */
export const doors: readonly string[] = [
  `alter table inbox drop column "payload"`,
  `alter table links drop column "seen"`,
];
