/**
 * One email check for every door: as wide as the CRM, so that what was read from there can be sent back. Marks such as & / # ! %
 * and letters of any script stand in real addresses; spaces, quotes, brackets and a domain without a dot do not.
 */
export const EMAIL =
  /^[^\s@"(),:;<>[\]\p{Cc}\p{Cf}\p{Cs}]+@[^\s@"(),:;<>[\].\p{Cc}\p{Cf}\p{Cs}]+(?:\.[^\s@"(),:;<>[\].\p{Cc}\p{Cf}\p{Cs}]+)+$/u;

export const isEmail = (text: string): boolean => EMAIL.test(text);
