// ---- The map: namespaces where podfence has put them; a click leads to workloads, another to one workload, and back.

const BOX = { width: 190, height: 64 };
const ROW = 48, ITEM = { width: 230, height: 41 };
const MOST_WAYS = 70, MOST_LABELS = 14, MOST_TOGETHER = 3;

/** @typedef {{from: number, to: number, pairs: number, of: number, open: boolean, ports: Map<number, number>}} Way */

/** What groups of ends may say to each other: a way from each group to each that it reaches at all.
 * @param {(end: number) => number} sourceOf @param {(end: number) => number} destinationOf group, or -1 @returns {Way[]} */
function ways(sourceOf, destinationOf) {
  const found = new Map();
  eachPair((from, to, part, ports) => {
    const here = sourceOf(from), there = destinationOf(to);
    if (here < 0 || there < 0) return;
    const key = here * 100003 + there;
    const way = found.get(key) ?? { from: here, to: there, pairs: 0, of: 0, open: true, ports: new Map() };
    found.set(key, way);
    way.of += 1;
    if (part === 'none') { way.open = false; return; }
    way.pairs += 1;
    way.open &&= part === 'all';
    way.ports.set(ports, (way.ports.get(ports) ?? 0) + 1);
  });
  return [...found.values()].filter((way) => way.pairs);
}

/** On a line: ports where they are one kind; the rest is in its title and, after a click, in the panel. */
function wayLabel(way) {
  const amount = way.pairs === way.of ? `all ${way.of}` : `${way.pairs} of ${way.of}`;
  return isWhole(way) || way.ports.size > 1 ? amount : `${amount} · ${portsOfWay(way)}`;
}

/** `3 of 12 pairs · TCP 80` */
function wayText(way) {
  const amount = way.pairs === way.of ? plural(way.pairs, 'pair') : `${way.pairs} of ${plural(way.of, 'pair')}`;
  return isWhole(way) ? amount : `${amount} · ${portsOfWay(way)}`;
}

const isWhole = (way) => [...way.ports.keys()].every((ports) => PORTS[ports].all);

function portsOfWay(way) {
  const texts = [...new Set([...way.ports.keys()].map((ports) => portsText(PORTS[ports])))];
  const more = texts.length > 2 ? ` and ${texts.length - 2} more` : '';
  return texts.slice(0, 2).map((text) => (text.length > 26 ? `${text.slice(0, 25)}…` : text)).join(' or ') + more;
}

function drawMap() {
  if (view.tab !== 'map') return;
  const draw = { all: drawSpaces, space: drawSpace, end: drawEnd }[view.place.kind];
  drawTrail();
  draw(view.place.number);
}

function drawTrail() {
  const { kind, number } = view.place;
  const space = kind === 'end' ? ENDS[number].namespace : kind === 'space' ? number : -1;
  const steps = [['All namespaces', { kind: 'all' }]];
  if (space >= 0) steps.push([SPACES[space].title, { kind: 'space', number: space }]);
  if (kind === 'end') steps.push([ENDS[number].label, { kind: 'end', number }]);
  byId('trail').replaceChildren(...steps.flatMap(([text, place], n) => [
    n ? document.createTextNode('›') : '',
    element('button', { type: 'button', click: () => go(place), 'aria-current': n === steps.length - 1 ? 'location' : undefined }, text),
  ]));
}

/** To another place on the map; the keyboard stays where it can go on. */
function go(place) {
  show({ place });
  byId('trail').lastElementChild.focus();
}

/** @param {number} width @param {number} height */
function sheet(width, height, ...children) {
  const scale = view.place.kind === 'all' ? Math.min(1.25, Math.max(0.55, (byId('map').clientWidth - 40) / width)) : 1;
  const arrow = drawn('marker', { id: 'arrow', viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto-start-reverse', markerUnits: 'userSpaceOnUse' }, drawn('path', { d: 'M0 0L8 4L0 8z', fill: 'context-stroke' }));
  const svg = drawn('svg', { viewBox: `0 0 ${width} ${height}`, width: width * scale, height: height * scale, role: 'group', 'aria-label': 'Map' }, drawn('defs', {}, arrow), ...children);
  byId('canvas').replaceChildren(svg);
}

/** A box to click. @param {{x: number, y: number, width: number, height: number}} at */
function box(at, title, less, kind, act, lit) {
  const seen = [title, less].join(', ');
  const tall = at.height > 50;
  const small = drawn('text', { class: 'less', x: 12, y: tall ? 47 : 33 });
  const node = drawn('g', { class: `box ${kind}`, tabindex: 0, role: 'button', 'aria-label': seen, transform: `translate(${at.x} ${at.y})` },
    drawn('rect', { width: at.width, height: at.height, rx: 8 }),
    drawn('text', { x: 12, y: tall ? 27 : 17 }, shortened(title, at.width / 9.4)), small, drawn('title', {}, seen));
  node.addEventListener('click', act);
  node.addEventListener('keydown', (event) => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); act(); } });
  for (const [name, on] of [['pointerenter', true], ['pointerleave', false], ['focus', true], ['blur', false]]) node.addEventListener(name, () => lit(on));
  const says = (words) => {
    small.textContent = shortened(words ?? less, at.width / 7.2);
    node.classList.toggle('dim', words === '');
  };
  says();
  return { node, says };
}

const shortened = (text, most) => (text.length > most ? `${text.slice(0, Math.max(1, Math.floor(most) - 1))}…` : text);

/** A line that can be clicked, with words where there is room for them. */
function wayLine(way, d, at, words, act) {
  const kind = way.open && way.pairs === way.of ? 'open' : isWhole(way) ? 'whole' : 'part';
  const attributes = { d, 'marker-end': 'url(#arrow)', ...(way.both ? { 'marker-start': 'url(#arrow)' } : {}) };
  const node = drawn('g', { class: `way ${kind}`, 'data-from': way.from, 'data-to': way.to }, drawn('path', attributes), drawn('path', { d, class: 'reach' }),
    drawn('title', {}, words), ...(at ? [drawn('text', { x: at.x, y: at.y, 'text-anchor': 'middle' }, wayLabel(way))] : []));
  node.addEventListener('click', act);
  return node;
}

/** All namespaces. Open ways in both directions are one quiet line. */
function drawSpaces() {
  const apart = ways((end) => ENDS[end].namespace, (end) => ENDS[end].namespace).filter((way) => way.from !== way.to);
  const found = joinedWays(apart);
  const few = TABLES.map.ring || found.length <= MOST_WAYS;
  const worded = found.filter((way) => !way.open).length <= MOST_LABELS;
  const lines = drawn('g');
  const draw = (lit) => {
    const shown = found.filter((way) => (few && lit < 0) || way.from === lit || way.to === lit);
    lines.replaceChildren(...shown.map((way) => spaceLine(way, lit < 0 && worded && !way.open)));
    boxes.forEach(({ says }, number) => says(lit < 0 || lit === number ? undefined : between(apart, lit, number)));
  };
  const boxes = SPACES.map((space) => {
    const act = () => go({ kind: 'space', number: space.number });
    return box({ ...space, ...BOX }, space.title, spaceText(space), space.name ? 'inside' : 'outside', act, (on) => draw(on ? space.number : -1));
  });
  draw(-1);
  const lead = few ? 'A grey line: everything passes. A coloured one is limited: to some pairs, or (yellow) to some ports.' : `${plural(apart.length, 'way')} between namespaces.`;
  byId('map-note').textContent = `${lead} Rest on a namespace for what it reaches (→) and what reaches it (←), in pairs; click to look inside.`;
  sheet(TABLES.map.width, TABLES.map.height, lines, ...boxes.map(({ node }) => node));
}

/** What a box says while another is looked at; nothing where no way leads. */
function between(found, lit, number) {
  const told = [['→', lit, number], ['←', number, lit]].flatMap(([arrow, from, to]) => {
    const way = found.find((each) => each.from === from && each.to === to);
    return way ? [`${arrow} ${way.pairs === way.of ? `all ${way.of}` : `${way.pairs} of ${way.of}`}`] : [];
  });
  return told.join('   ');
}

function spaceText(space) {
  const inside = WHY ? 'workload' : 'namespace';
  const outside = space.ends.every((end) => ENDS[end].kind === 'External') ? 'range' : 'end';
  return plural(space.ends.length, space.name ? inside : outside);
}

function joinedWays(found) {
  const open = new Set(found.filter((way) => way.open).map((way) => `${way.from} ${way.to}`));
  return found.flatMap((way) => {
    const both = way.open && open.has(`${way.to} ${way.from}`);
    if (both && way.from > way.to) return [];
    return [both ? { ...way, both } : way];
  });
}

/** Bent towards the middle of the map, and a little to its right, so that a way and the way back are two lines. */
function spaceLine(way, worded) {
  const [here, there] = [SPACES[way.from], SPACES[way.to]].map((space) => ({ x: space.x + BOX.width / 2, y: space.y + BOX.height / 2 }));
  const [dx, dy] = [there.x - here.x, there.y - here.y];
  const far = Math.hypot(dx, dy), aside = way.both ? 0 : 22, inwards = TABLES.map.ring ? 0.3 : 0;
  const bent = (a, b, whole, side) => ((a + b) / 2) * (1 - inwards) + (whole / 2) * inwards + (side / far) * aside;
  const middle = { x: bent(here.x, there.x, TABLES.map.width, -dy), y: bent(here.y, there.y, TABLES.map.height, dx) };
  const [start, end] = [onBorder(here, middle), onBorder(there, middle)];
  const along = (a, b, c) => a * 0.42 + b * 0.46 + c * 0.12; // on the curve, nearer to its source: in the middle all meet
  const at = { x: along(start.x, middle.x, end.x), y: along(start.y, middle.y, end.y) - 4 };
  return wayLine(way, `M${start.x} ${start.y}Q${middle.x} ${middle.y} ${end.x} ${end.y}`, worded ? at : null, wayText(way), () => show({ chosen: { kind: 'way', from: way.from, to: way.to } }));
}

/** Where a line from the middle of a box leaves it. */
function onBorder(middle, towards) {
  const [dx, dy] = [towards.x - middle.x, towards.y - middle.y];
  const part = Math.min((BOX.width / 2 + 3) / Math.abs(dx || 1e-9), (BOX.height / 2 + 3) / Math.abs(dy || 1e-9));
  return { x: Math.round(middle.x + dx * part), y: Math.round(middle.y + dy * part) };
}

/** Workloads of one namespace, between the namespaces that reach them and those they reach. */
function drawSpace(number) {
  const { ends, title } = SPACES[number];
  const order = new Map(ends.map((end, place) => [end, place]));
  const own = (end) => order.get(end) ?? -1;
  const space = (end) => ENDS[end].namespace;
  const name = (each) => (each === number ? `${title} itself` : SPACES[each].title);
  const act = (each) => () => (each === number ? undefined : go({ kind: 'space', number: each }));
  const side = (found, key) => [...new Set(found.map((way) => way[key]))].sort((a, b) => a - b).map((each) => ({ key: each, title: name(each), less: spaceText(SPACES[each]), act: act(each) }));
  const [coming, going] = [ways(space, own), ways(own, space)];
  drawColumns({
    left: side(coming, 'from'), right: side(going, 'to'), coming, going,
    centre: ends.map((end, place) => ({ key: place, title: ENDS[end].label, less: endText(end), act: () => go({ kind: 'end', number: end }) })),
    choose: (way, inwards) => show({ chosen: inwards ? { kind: 'way', from: way.from, toEnd: ends[way.to] } : { kind: 'way', fromEnd: ends[way.from], to: way.to } }),
  });
}

const endText = (end) => (ENDS[end].pods > 1 ? `${ENDS[end].kind}, ${ENDS[end].pods} pods` : ENDS[end].kind);

/** One workload, between those that reach it and those it reaches; alike neighbours of a namespace stand together. */
function drawEnd(number) {
  const one = (end) => (end === number ? 0 : -1);
  const [left, leftOfEnd] = together((end) => portsOf(end, number));
  const [right, rightOfEnd] = together((end) => portsOf(number, end));
  drawColumns({
    left: left.map((each) => ({ ...each, act: () => among(each.ends, number, true) })),
    right: right.map((each) => ({ ...each, act: () => among(each.ends, number, false) })),
    centre: [{ key: 0, title: shortTitle(number), less: endText(number), act: () => undefined }],
    coming: ways(leftOfEnd, one), going: ways(one, rightOfEnd),
    choose: (way, inwards) => among((inwards ? left[way.from] : right[way.to]).ends, number, inwards),
  });
}

/** Without the kind: there is little room. */
const shortTitle = (end) => (SPACES[ENDS[end].namespace].name ? `${SPACES[ENDS[end].namespace].title}/` : '') + ENDS[end].label;

function together(portsWith) {
  const found = new Map();
  const wanted = shares();
  ENDS.forEach((end, n) => {
    const ports = portsWith(n);
    if (ports === UNASKED || wanted[ports] === 'none') return;
    const key = `${end.namespace} ${ports}`;
    found.set(key, [...(found.get(key) ?? []), n]);
  });
  const items = [...found.values()].flatMap((ends) => (ends.length <= MOST_TOGETHER ? ends.map((end) => [end]) : [ends]));
  const of = new Map(items.flatMap((ends, key) => ends.map((end) => [end, key])));
  const titled = (ends) => (ends.length === 1 ? shortTitle(ends[0]) : `${SPACES[ENDS[ends[0]].namespace].title}: ${ends.length} alike`);
  return [items.map((ends, key) => ({ key, ends, title: titled(ends), less: portsText(PORTS[portsWith(ends[0])]) })), (end) => of.get(end) ?? -1];
}

/** A single pair is explained, several are listed. */
function among(ends, number, inwards) {
  const pairs = ends.map((end) => (inwards ? [end, number] : [number, end]));
  if (pairs.length === 1) show({ chosen: { kind: 'pair', from: pairs[0][0], to: pairs[0][1] } });
  else show({ chosen: { kind: 'pairs', pairs } });
}

/** Three columns: who reaches in, who is looked at, who is reached. */
function drawColumns({ left, centre, right, coming, going, choose }) {
  const columns = [left, centre, right];
  const most = Math.max(...columns.map((items) => items.length));
  const apart = Math.max(ITEM.width + 90, (byId('map').clientWidth - 60 - ITEM.width) / 2);
  const spot = (column, n) => ({ x: 8 + column * apart, y: 44 + (n + Math.min(4, (most - columns[column].length) / 2)) * ROW });
  const places = columns.map((items, column) => new Map(items.map((item, n) => [item.key, spot(column, n)])));
  const few = coming.length + going.length <= MOST_WAYS || centre.length === 1;
  const all = [...coming.map((way) => ({ way, column: 0 })), ...going.map((way) => ({ way, column: 1 }))];
  const touches = ({ way, column }, place, key) => (column === place && way.from === key) || (column + 1 === place && way.to === key);
  const lines = drawn('g');
  const draw = (lit, key) => {
    const shown = all.filter((each) => (lit < 0 ? few : touches(each, lit, key)));
    lines.replaceChildren(...shown.map(({ way, column }) => columnLine(way, places[column].get(way.from), places[column + 1].get(way.to), () => choose(way, column === 0))));
    for (const each of boxes) each.says(lit < 0 || each.column === lit ? undefined : saidOf(shown, each, touches));
  };
  const boxes = columns.flatMap((items, column) => items.map((item) => {
    const at = { ...places[column].get(item.key), ...ITEM };
    return { ...box(at, item.title, item.less, 'item', item.act, (on) => draw(on ? column : -1, item.key)), column, key: item.key };
  }));
  draw(-1);
  const headings = ['reach in', '', 'are reached'].map((text, column) => drawn('text', { class: 'heading', x: spot(column, 0).x, y: 24 }, text));
  byId('map-note').textContent = `${few ? 'Click a line for its pairs.' : `${plural(all.length, 'way')}.`} Rest on a box for its own and their ports; click it to look inside.`;
  sheet(2 * apart + ITEM.width + 16, most * ROW + 60, lines, ...headings, ...boxes.map(({ node }) => node));
}

/** What a box says while one in another column is looked at: the ports between them. */
function saidOf(shown, { column, key }, touches) {
  return shown.filter((each) => touches(each, column, key)).map(({ way }) => portsOfWay(way)).join('; ');
}

function columnLine(way, here, there, act) {
  const [x1, y1, x2, y2] = [here.x + ITEM.width + 2, here.y + ITEM.height / 2, there.x - 3, there.y + ITEM.height / 2];
  const bend = (x2 - x1) / 2;
  return wayLine(way, `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`, null, wayText(way), act);
}
