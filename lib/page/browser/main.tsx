import { render } from 'preact';
import { App } from './app.tsx';
import { AppState } from './appState.ts';
import { loadPartsSoon } from './lazyParts.tsx';
import { AppContext } from './useApp.ts';

/** For so long a page without jobs is not worth drawing, in milliseconds: they are about to come. */
const EMPTY_MS = 100;

/** Is done when the server has answered, or is known to be away. */
function firstAnswer(app: AppState): Promise<void> {
  return new Promise((resolve) => {
    const stop = app.subscribe(() => {
      if (app.live.contact.kind === 'connecting') return;
      stop();
      resolve();
    });
  });
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Starts the page in its document. */
const app = new AppState(window);
// The first request goes out before anything is drawn.
app.live.start();
const root = document.getElementById('page');
if (root === null) throw new Error('the document of the page is another one');
const draw = () => {
  render(
    <AppContext.Provider value={app}>
      <App />
    </AppContext.Provider>,
    root,
  );
};
const answered = firstAnswer(app);
if (app.place.view === 'jobs') {
  // The list is drawn once, with its jobs, unless they are long in coming.
  void Promise.race([answered, sleep(EMPTY_MS)]).then(draw);
} else draw();
// What comes next is loaded behind what is seen first.
void answered.then(loadPartsSoon);
