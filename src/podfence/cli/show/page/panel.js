// ---- The panel: why a pair is as it is; or what there is to see, while nothing is chosen.

const MOST_PAIRS = 100;

function drawPanel() {
  const { chosen } = view;
  const content = !chosen ? overview() : chosen.kind === 'pair' ? pairContent(chosen.from, chosen.to) : severalContent(chosen);
  byId('panel').replaceChildren(...content);
  byId('panel').scrollTop = 0;
}

function overview() {
  return [element('h2', {}, 'What is what'), legend(), element('p', {}, 'Choose a pair for its ports, the policies that decide, and the rule that matched or came nearest.')];
}

function legend() {
  const size = { width: 18, height: 18, 'aria-hidden': 'true' };
  const square = (name) => drawn('rect', { width: 18, height: 18, fill: cssOf(`--${name}`) });
  const shape = (d, attributes) => drawn('path', { d, ...attributes });
  const entries = [
    ['Everything passes (or all of the port asked for)', [square('all')]],
    ['Some ports pass', [square('denied'), shape('M0 18L18 0V18z', { fill: cssOf('--some') })]],
    ['Denied', [square('denied'), shape('M6 6L12 12M12 6L6 12', { stroke: cssOf('--cross') })]],
    ['Not asked about: an end itself, two ends outside', [drawn('rect', { x: 0.5, y: 0.5, width: 17, height: 17, fill: 'none', stroke: cssOf('--line') })]],
  ];
  return element('ul', { class: 'legend' }, ...entries.map(([text, parts]) => element('li', {}, drawn('svg', size, ...parts), text)));
}

/** Pairs behind a line of the map. */
function severalContent(chosen) {
  const here = (end) => chosen.fromEnd === end || ENDS[end].namespace === chosen.from;
  const there = (end) => chosen.toEnd === end || ENDS[end].namespace === chosen.to;
  const found = chosen.pairs ? [...chosen.pairs] : [];
  let denied = 0;
  if (!chosen.pairs) {
    eachPair((from, to, part) => {
      if (!here(from) || !there(to)) return;
      if (part === 'none') denied += 1; else found.push([from, to]);
    });
  }
  const rows = found.slice(0, MOST_PAIRS).map(([from, to]) => pairRow(from, to));
  const more = found.length > MOST_PAIRS ? `… and ${found.length - MOST_PAIRS} more: see the list` : null;
  const left = denied ? `; ${plural(denied, 'pair')} denied` : '';
  return [element('h2', {}, `${plural(found.length, 'pair')} allowed${left}`), ...rows, ...(more ? [element('p', {}, more)] : [])];
}

function pairRow(from, to) {
  const open = () => show({ chosen: { kind: 'pair', from, to } });
  return element('button', { type: 'button', class: 'row', click: open }, `${titleOf(from)} → ${titleOf(to)}`, element('small', {}, portsText(PORTS[portsOf(from, to)])));
}

function pairContent(from, to) {
  const ports = portsOf(from, to);
  const turn = element('button', { type: 'button', click: () => show({ chosen: { kind: 'pair', from: to, to: from } }) }, 'The other direction');
  const close = element('button', { type: 'button', click: () => show({ chosen: null }) }, 'Close');
  const head = [element('h2', {}, `${titleOf(from)} → ${titleOf(to)}`), element('p', {}, ports === UNASKED ? unaskedText(from, to) : portsText(PORTS[ports])), element('div', { class: 'actions' }, turn, close)];
  return ports === UNASKED ? head : [...head, ...explained(from, to)];
}

function explained(from, to) {
  if (!WHY) return [element('p', {}, 'A namespace is many pods: ask --by workload for reasons.')];
  const families = familiesOf(from, to);
  if (!families.length) return [element('p', {}, [from, to].some((end) => ENDS[end].kind === 'Elsewhere')
    ? 'One of the two only stands for others, and no policy names it: choose the pods behind it for reasons.'
    : 'The two have no address in common to tell about, or each is the address of another pod: podfence explain tells of each.')];
  const found = families.map((family) => [family, explanations(from, to, family)]);
  const same = found.every(([, groups]) => alike(groups) === alike(found[0][1]));
  if (same) return found[0][1].map(groupContent);
  return found.flatMap(([family, groups]) => [element('h3', {}, `IPv${family}`), ...groups.map(groupContent)]);
}

/** Address families that both ends have. */
function familiesOf(from, to) {
  const [here, there] = [WHY.ends[from], WHY.ends[to]];
  return here && there ? Object.keys(here.addresses).filter((family) => family in there.addresses) : [];
}

/** @typedef {{walks: Walk[], misses: Miss[], ports: [string, number, number][], flow: Flow}} Group */

/** Ports with the same reason together; denied ones last. @returns {Group[]} */
function explanations(from, to, family) {
  const groups = new Map();
  for (const [protocol, first, last] of classes(from, to, family)) {
    const flow = { from, to, family, protocol, port: first < 0 ? null : asked(to, protocol, first, last) };
    const walks = decide(flow);
    const misses = walks.filter((each) => each.verdict === 'denied').map((each) => nearest(flow, each));
    const key = reasonOf(walks, misses);
    const known = groups.get(key);
    const ports = [...(known?.ports ?? []), [protocol, first, last]];
    const better = !known || (listens(flow) && !listens(known.flow));
    groups.set(key, better ? { walks, misses, flow, ports } : { ...known, ports });
  }
  return [...groups.values()].sort((a, b) => isDenied(a) - isDenied(b));
}

const isDenied = (group) => Number(group.misses.length > 0);
const reasonOf = (walks, misses) => JSON.stringify([walks.map((each) => [each.verdict, each.because, each.isolating, each.match]), misses.map((miss) => [miss.policy, miss.path, miss.condition])]);
const alike = (groups) => groups.map((group) => reasonOf(group.walks, group.misses) + rangesText(group.ports.filter(([, first]) => first >= 0))).join();

/** Of flows with the same reason the one to tell about is one to a port that is listened on. */
const listens = (flow) => (WHY.ends[flow.to].named ?? []).some((port) => port[0] === flow.protocol && port[1] === flow.port);

/** A port in the range that the destination listens on, else the first of it: what people would ask about. */
function asked(to, protocol, first, last) {
  const declared = (WHY.ends[to].named ?? []).find((port) => port[0] === protocol && first <= port[1] && port[1] <= last);
  return declared ? declared[1] : first;
}

/** Ranges that no rule of either end tells apart, and -1 for protocols without ports. @returns {[string, number, number][]} */
function classes(from, to, family) {
  const found = WITH_PORTS.flatMap((protocol) => {
    const starts = [...cuts(from, to, protocol)].filter((start) => start > 1 && start <= LAST_PORT).sort((a, b) => a - b);
    return [1, ...starts].map((start, n) => [protocol, start, (starts[n] ?? LAST_PORT + 1) - 1]);
  });
  return [...found, [family === '4' ? 'ICMP' : 'ICMPv6', -1, -1]];
}

function cuts(from, to, protocol) {
  const found = new Set();
  const rules = [[from, 'egress'], [to, 'ingress']].flatMap(([end, direction]) => (WHY.ends[end][direction] ?? []).flatMap((policy) => WHY.policies[policy][direction]));
  for (const [of, first, last] of rules.flatMap((rule) => rule.ports ?? [])) {
    if (of === protocol && last !== undefined) found.add(first).add(last + 1);
  }
  for (const [of, number] of WHY.ends[to].named ?? []) if (of === protocol) found.add(number).add(number + 1);
  return found;
}

/** `TCP 80, 90-100; UDP`; the rest in a word. */
function rangesText(ports) {
  const rows = new Map();
  for (const [protocol, first, last] of ports) {
    const row = rows.get(protocol) ?? [];
    rows.set(protocol, row);
    if (row.length && first === row.at(-1)[1] + 1) row.at(-1)[1] = last;
    else row.push([first, last]);
  }
  const whole = (row) => row.length === 1 && row[0][0] === 1 && row[0][1] === LAST_PORT;
  if (rows.size === 4 && WITH_PORTS.every((protocol) => whole(rows.get(protocol)))) return 'everything';
  return [...rows].map(([protocol, row]) => rowText(protocol, row, whole(row))).join('; ');
}

function rowText(protocol, row, whole) {
  if (row[0][0] < 0) return `${protocol} and others without ports`;
  return whole ? `every ${protocol} port` : `${protocol} ${row.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(', ')}`;
}

function groupContent(group) {
  const verdict = group.misses.length ? 'denied' : 'allowed';
  const { flow } = group;
  const what = flow.port === null ? flow.protocol : `${flow.protocol} ${flow.port}`;
  return element('article', {},
    element('p', {}, element('span', { class: `stamp ${verdict}` }, verdict.toUpperCase()), rangesText(group.ports)),
    ...group.walks.flatMap((each) => walkContent(each, group)),
    ...group.misses.filter((miss) => miss.edit).map((miss, n) => element('p', { class: 'edit' }, `${n ? 'And' : `To allow ${what},`} ${miss.edit}.`)));
}

function walkContent(walked, { misses, flow }) {
  const [subject] = endsOf(flow, walked.direction);
  const judged = ['RULE', 'NO_RULE'].includes(walked.because);
  const outcome = judged ? walked.verdict : `${walked.verdict}: ${WHY.because[walked.because]}`;
  const rows = walked.isolating.map((number, n) => [n ? '' : 'isolated by', WHY.policies[number].title, placeOf(number, WHY.policies[number].line)]);
  if (walked.match) rows.push([`${walked.verdict} by`, ...matchText(walked.match)]);
  const miss = walked.verdict === 'denied' ? misses[walked.direction === 'ingress' && misses.length > 1 ? 1 : 0] : null;
  if (miss && !walked.match) rows.push(['nearest', `${miss.path} of ${WHY.policies[miss.policy].title}`, placeOf(miss.policy, miss.line)]);
  if (miss) rows.push(['', miss.sentence, '']);
  const parts = rows.flatMap(([term, text, place]) => [element('dt', {}, term), element('dd', {}, text, place ? element('span', { class: 'place' }, place) : null)]);
  return [element('h3', {}, `${walked.direction} of ${whoIs(subject, flow.family)}: ${outcome}`), element('dl', {}, ...parts)];
}

function placeOf(policy, line) {
  const { file } = WHY.policies[policy];
  return line ? `${file}:${line}` : file;
}

function matchText(match) {
  const { path, line } = matchPath(match);
  return [`${path} of ${WHY.policies[match.policy].title}`, placeOf(match.policy, line)];
}

function matchPath(match) {
  const rule = ruleOf(match), path = `spec.${match.direction}[${match.rule}]`;
  if (match.peer < 0) return { path, line: rule.line };
  return { path: `${path}.${PEERS_FIELD[match.direction]}[${match.peer}]`, line: rule.peers[match.peer][1] };
}
