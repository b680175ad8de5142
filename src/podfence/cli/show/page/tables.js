'use strict';
// ---- Tables: what the file carries, and how to read it. Names are shown as text only, never as markup.

/** @typedef {{text: string, all: boolean, protocols: Object<string, number[][]>, other_protocols: boolean, families?: Object<string, string>}} Ports */
/** @typedef {{title: string, label: string, kind: string, namespace: number, pods: number}} End */
/** @typedef {{protocol: string, first: number, last: number}|null} Wanted  A port filter; `first` 0: no ports. */

const TABLES = JSON.parse(document.getElementById('tables').textContent);
const WHY = TABLES.why;
/** @type {End[]} */ const ENDS = TABLES.ends;
/** @type {Ports[]} */ const PORTS = TABLES.ports;
const SPACES = TABLES.namespaces.map((space, number) => ({
  ...space,
  number,
  title: space.name || 'outside',
  ends: ENDS.map((_, end) => end).filter((end) => ENDS[end].namespace === number),
}));
const UNASKED = -1;
const LAST_PORT = 65535;
const WITH_PORTS = ['TCP', 'UDP', 'SCTP'];

/** Rows of port set numbers, unpacked from runs. */
const ROWS = TABLES.rows.map((runs) => {
  const row = new Int32Array(ENDS.length);
  for (let part = 0, place = 0; part < runs.length; part += 2) {
    row.fill(runs[part], place, (place += runs[part + 1]));
  }
  return row;
});

/** @param {number} from @param {number} to @returns {number} */
const portsOf = (from, to) => ROWS[from][to];

/** @param {string} mask hexadecimal @returns {(bit: number) => boolean} */
function bits(mask) {
  const number = BigInt(`0x${mask}`);
  return (bit) => Boolean((number >> BigInt(bit)) & 1n);
}

/** `80`, `80/udp`, `udp 80-90`, `tcp`, `icmp`; null where nothing is asked. Throws with words for people.
 * @param {string} text @returns {Wanted} */
function portWanted(text) {
  const words = text.trim().toUpperCase().split(/[\s/]+/).filter(Boolean);
  if (!words.length) return null;
  const range = words.find((word) => /^\d+(-\d+)?$/.test(word));
  const name = words.find((word) => word !== range) ?? 'TCP';
  if (words.length > (range ? 2 : 1)) throw new Error('Write it like 80/TCP.');
  if (!range && (name.startsWith('ICMP') || name === 'OTHER')) return { protocol: 'other', first: 0, last: 0 };
  if (!WITH_PORTS.includes(name)) throw new Error(`${name} is no protocol with ports: TCP, UDP or SCTP.`);
  const [first, last] = (range ?? `1-${LAST_PORT}`).split('-').map(Number);
  if (first > (last ?? first) || (last ?? first) > LAST_PORT) throw new Error(`Ports are 0 to ${LAST_PORT}.`);
  return { protocol: name, first, last: last ?? first };
}

/** What of a port set is wanted: 'all' of it, 'some' or 'none'. @param {Ports} ports @param {Wanted} wanted */
function share(ports, wanted) {
  if (!wanted) return ports.all ? 'all' : ports.other_protocols || Object.keys(ports.protocols).length ? 'some' : 'none';
  if (wanted.protocol === 'other') return ports.other_protocols ? 'all' : 'none';
  const ranges = ports.protocols[wanted.protocol] ?? [];
  const whole = ranges.some(([first, last]) => first <= wanted.first && wanted.last <= last);
  if (whole) return 'all';
  return ranges.some(([first, last]) => first <= wanted.last && wanted.first <= last) ? 'some' : 'none';
}
