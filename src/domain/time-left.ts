/** How long a person still has, as the server writes it and the browser counts it down. `ms` may be past zero. */
export function leftWords(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds === 0) return 'time is up';
  if (seconds < 60) return `${seconds} s left`;
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 48 * 60) return `${Math.floor(minutes / 1440)} days left`;
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s left`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}
