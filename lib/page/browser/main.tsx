import { render } from 'preact';
import { App } from './app.tsx';
import { AppState } from './appState.ts';
import { loadLogSoon } from './lazyLog.tsx';
import { applyTheme } from './theme.ts';
import { AppContext } from './useApp.ts';

/** Starts the page in its document. */
applyTheme();
const app = new AppState(window);
// The first request goes out before anything is drawn.
app.live.start();
const root = document.getElementById('page');
if (root === null) throw new Error('the document of the page is another one');
render(
  <AppContext.Provider value={app}>
    <App />
  </AppContext.Provider>,
  root,
);
// What comes next is loaded behind what is seen first.
const stop = app.subscribe(() => {
  if (app.live.contact.kind === 'connecting') return;
  stop();
  loadLogSoon();
});
