// ---- The list: every pair in sight as a line. What reads best, prints best, and needs no eyes.

const AT_ONCE = 200;
let listed = AT_ONCE;

/** `ui/ui[Deployment] → …`, and what passes. */
function pairText(from, to) {
  const ports = portsOf(from, to);
  return `${titleOf(from)} → ${titleOf(to)}\n${ports === UNASKED ? unaskedText(from, to) : portsText(PORTS[ports])}`;
}

const unaskedText = (from, to) => (from === to ? 'the same end' : 'not asked about');

/** @param {Ports} ports */
function portsText(ports) {
  if (!ports.families) return ports.text;
  return Object.entries(ports.families).map(([family, text]) => `${family}: ${text}`).join('; ');
}

function drawList() {
  if (view.tab !== 'list') return;
  const denied = byId('verdict').value === 'denied';
  const found = [];
  let amount = 0;
  eachPair((from, to, part, ports) => {
    if ((part === 'none') !== denied) return;
    amount += 1;
    if (found.length < listed) found.push([from, to, ports]);
  });
  byId('amount').textContent = plural(amount, 'pair');
  byId('pairs').replaceChildren(...found.map(([from, to, ports]) => line(from, to, PORTS[ports])));
  byId('further').hidden = amount <= listed;
}

function line(from, to, ports) {
  const open = () => show({ chosen: { kind: 'pair', from, to } });
  const name = element('button', { type: 'button', 'aria-label': `Explain ${titleOf(from)} to ${titleOf(to)}` }, titleOf(from));
  return element('tr', { click: open }, element('td', {}, name), element('td', {}, titleOf(to)), element('td', {}, portsText(ports)));
}

function watchList() {
  byId('verdict').addEventListener('change', drawList);
  byId('further').addEventListener('click', () => { listed += AT_ONCE; drawList(); });
}
