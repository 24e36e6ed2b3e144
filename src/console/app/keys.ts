/** Keys of one letter. Who is troubled by them (dictation types letters too) switches them off: WCAG 2.1.4. */

const CHOICE = 'letter-keys';

export const areKeysOn = (): boolean => localStorage.getItem(CHOICE) !== 'off';

export function setKeys(areOn: boolean): void {
  if (areOn) localStorage.removeItem(CHOICE);
  else localStorage.setItem(CHOICE, 'off');
}

/** Undefined where a letter is a letter: in a field, under a dialog, with another key, or where they are off. */
export function keyOf(event: KeyboardEvent): string | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !areKeysOn()) return undefined;
  const at = event.target instanceof Element ? event.target : undefined;
  if (at?.closest('input, textarea, select, [contenteditable]') || document.querySelector('dialog[open]'))
    return undefined;
  return event.key;
}
