// What the first screen does without. One file: each further one would cost the others in common code that compresses worse.
export { Help } from './help.tsx';
export { JobForm } from './jobForm.tsx';
export { LogView } from './log/LogView.tsx';
export { ServerView } from './serverView.tsx';
