// ---- The view: what is being looked at, and a way to be told when it changes.

/** @typedef {{kind: 'pair', from: number, to: number}|{kind: 'way', from: number, to: number}|null} Chosen  Ends, or namespaces. */

const view = {
  tab: 'matrix',
  search: '',
  side: 'either',
  /** @type {Wanted} */ port: null,
  /** @type {Chosen} */ chosen: null,
  /** @type {{kind: 'all'}|{kind: 'space'|'end', number: number}} */ place: { kind: 'all' },
};
/** @type {(() => void)[]} */ const watchers = [];

/** Change the view, and draw what follows from it. @param {Partial<typeof view>} changes */
function show(changes) {
  Object.assign(view, changes);
  for (const watcher of watchers) watcher();
}

const byId = (id) => document.getElementById(id);
const cssOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** An element. Texts become text nodes: no name is ever markup.
 * @param {string} tag @param {Object<string, any>} [attributes] @param {...(Node|string|null)} children */
function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function drawn(tag, attributes = {}, ...children) {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(name, value);
    else if (value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** Ends whose title has the searched text; everybody where nothing is searched. @returns {(end: number) => boolean} */
function searched() {
  const words = view.search.toLowerCase();
  if (!words) return () => true;
  const found = new Set(ENDS.flatMap((end, n) => (titleOf(n).toLowerCase().includes(words) ? [n] : [])));
  return (end) => found.has(end);
}

const titleOf = (end) => ENDS[end].title;

/** Whether a pair is looked at. @returns {(from: number, to: number) => boolean} */
function inSight() {
  const found = searched();
  if (view.side === 'from') return (from) => found(from);
  if (view.side === 'to') return (_, to) => found(to);
  return (from, to) => found(from) || found(to);
}

/** For every port set what of it is wanted. @returns {string[]} */
const shares = () => PORTS.map((ports) => share(ports, view.port));

/** Every pair in sight with its share: 'all', 'some' or 'none'.
 * @param {(from: number, to: number, share: string, ports: number) => void} visit */
function eachPair(visit) {
  const seen = inSight();
  const found = shares();
  for (let from = 0; from < ENDS.length; from += 1) {
    const row = ROWS[from];
    for (let to = 0; to < row.length; to += 1) {
      if (row[to] !== UNASKED && seen(from, to)) visit(from, to, found[row[to]], row[to]);
    }
  }
}

const plural = (amount, word) => `${amount.toLocaleString('en')} ${word}${amount === 1 ? '' : 's'}`;
