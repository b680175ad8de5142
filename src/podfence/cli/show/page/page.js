// ---- The page: filters, tabs, light and dark; and the first drawing.

const TABS = ['matrix', 'map', 'list'];

function drawTabs() {
  for (const tab of TABS) {
    const here = tab === view.tab;
    byId(tab).hidden = !here;
    byId(`tab-${tab}`).setAttribute('aria-selected', String(here));
    byId(`tab-${tab}`).tabIndex = here ? 0 : -1;
  }
}

function drawSummary() {
  let pairs = 0, open = 0;
  eachPair((from, to, part) => { pairs += 1; open += part === 'none' ? 0 : 1; });
  const inside = SPACES.filter((space) => space.name);
  const word = WHY ? 'workload' : 'namespace';
  const workloads = inside.reduce((sum, space) => sum + space.ends.length, 0);
  const what = view.port ? ` on ${byId('port').value.trim()}` : '';
  byId('summary').textContent = `${plural(workloads, word)}${WHY ? ` in ${plural(inside.length, 'namespace')}` : ''}; ${open.toLocaleString('en')} of ${plural(pairs, 'pair')} allowed${what}`;
}

function watchFilters() {
  byId('filters').addEventListener('submit', (event) => event.preventDefault());
  byId('search').addEventListener('input', () => { listed = AT_ONCE; show({ search: byId('search').value.trim() }); });
  byId('side').addEventListener('change', () => show({ side: byId('side').value }));
  byId('port').addEventListener('input', readPort);
  byId('clear').addEventListener('click', clear);
  byId('theme').addEventListener('click', switchTheme);
  const known = new Set(PORTS.flatMap((ports) => Object.entries(ports.protocols)).flatMap(([protocol, ranges]) => ranges.filter(([a, b]) => a === b).map(([a]) => `${a}/${protocol}`)));
  byId('known-ports').replaceChildren(...[...known].slice(0, 60).map((value) => element('option', { value })));
}

function readPort() {
  try {
    const port = portWanted(byId('port').value);
    byId('port').removeAttribute('aria-invalid');
    byId('port-problem').textContent = '';
    show({ port });
  } catch (problem) {
    byId('port').setAttribute('aria-invalid', 'true');
    byId('port-problem').textContent = problem.message;
  }
}

function clear() {
  for (const name of ['search', 'port']) byId(name).value = '';
  byId('side').value = 'either';
  readPort();
  show({ search: '', side: 'either', port: null, chosen: null, place: { kind: 'all' } });
}

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
  show({});
}

/** Left and right move between tabs, as in every tab list. */
function watchTabs() {
  for (const [n, tab] of TABS.entries()) {
    const button = byId(`tab-${tab}`);
    button.addEventListener('click', () => show({ tab }));
    button.addEventListener('keydown', (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      show({ tab: TABS[(n + by + TABS.length) % TABS.length] });
      byId(`tab-${view.tab}`).focus();
    });
  }
}

/** Paper is white, whatever the screen is. */
function watchPrinting() {
  let before;
  window.addEventListener('beforeprint', () => { before = document.documentElement.dataset.theme; document.documentElement.dataset.theme = 'light'; show({}); });
  window.addEventListener('afterprint', () => { if (before) document.documentElement.dataset.theme = before; else delete document.documentElement.dataset.theme; show({}); });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => show({}));
}

watchers.push(drawTabs, drawSummary, drawMatrix, drawMap, drawList, drawPanel);
watchFilters();
watchTabs();
watchMatrix();
watchList();
watchPrinting();
show({});
