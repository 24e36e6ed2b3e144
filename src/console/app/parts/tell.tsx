import { useEffect, useState } from 'preact/hooks';

/** What was just done, said once: seen at the edge of the page and heard by a screen reader. */

const SHOWN_MS = 6_000;
let hear: (words: string) => void = () => {};

export function tell(words: string): void {
  hear(words);
}

export function Told() {
  const [words, setWords] = useState('');
  useEffect(() => {
    hear = setWords;
    return () => {
      hear = () => {};
    };
  }, []);
  useEffect(() => {
    if (words === '') return;
    const timer = setTimeout(() => setWords(''), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [words]);
  return (
    <div class="told" role="status" aria-live="polite">
      {words !== '' && <p>{words}</p>}
    </div>
  );
}
