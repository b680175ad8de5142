// ---- The matrix: rows are sources, columns destinations. Only what is on the screen is drawn.

const LEFT_SPACE = 104, LEFT_NAME = 168, TOP_SPACE = 22, TOP_NAME = 132;
const SMALL_LEFT = 40, SMALL_TOP = 74;
const LEAST = 1, MOST = 34, NAMED = 11;
const canvas = /** @type {HTMLCanvasElement} */ (byId('cells'));
const pen = canvas.getContext('2d');

const grid = {
  /** @type {number[]} */ rows: [],
  /** @type {number[]} */ columns: [],
  /** @type {string[]} */ shares: [],
  /** @type {(from: number, to: number) => boolean} */ seen: () => true,
  search: '',
  size: 20, x: 0, y: 0, width: 0, height: 0,
  /** @type {{row: number, column: number}|null} */ hover: null,
  cursor: { row: 0, column: 0 },
  /** @type {HTMLCanvasElement|null} */ picture: null,
  fitted: false,
  colors: {},
};
const left = () => (grid.size >= NAMED ? LEFT_SPACE + LEFT_NAME : LEFT_SPACE + SMALL_LEFT);
const above = () => (grid.size >= NAMED ? TOP_SPACE + TOP_NAME : TOP_SPACE + SMALL_TOP);

/** Rows and columns that the search leaves: as either end, everybody stays, and only the cells in sight are filled. */
function arrange() {
  const found = searched();
  const everybody = ENDS.map((_, end) => end);
  const some = everybody.filter(found);
  const alone = view.search !== '' && some.length > 0;
  grid.rows = alone && view.side === 'from' ? some : everybody;
  grid.columns = alone && view.side === 'to' ? some : everybody;
  grid.seen = inSight();
  if (view.search !== grid.search && alone) {
    grid.cursor = { row: grid.rows.indexOf(some[0]), column: grid.columns.indexOf(some[0]) };
    if (grid.cursor.row < 0) grid.cursor.row = 0;
    if (grid.cursor.column < 0) grid.cursor.column = 0;
    grid.search = view.search;
    if (grid.fitted) intoSight();
  }
  grid.shares = shares();
  grid.cursor = { row: Math.min(grid.cursor.row, grid.rows.length - 1), column: Math.min(grid.cursor.column, grid.columns.length - 1) };
  grid.picture = null;
}

function fit() {
  const room = (named) => [grid.width - LEFT_SPACE - (named ? LEFT_NAME : SMALL_LEFT), grid.height - TOP_SPACE - (named ? TOP_NAME : SMALL_TOP)];
  const sized = ([width, height]) => Math.min((width - 8) / grid.columns.length, (height - 8) / grid.rows.length);
  const named = sized(room(true));
  grid.size = Math.max(LEAST, Math.min(28, named >= NAMED ? named : Math.min(NAMED - 0.5, sized(room(false)))));
  grid.x = grid.y = 0;
}

/** @param {number} factor @param {number} atX @param {number} atY where the cell under it stays */
function zoom(factor, atX = (grid.width + left()) / 2, atY = (grid.height + above()) / 2) {
  const column = (grid.x + atX - left()) / grid.size, row = (grid.y + atY - above()) / grid.size;
  grid.size = Math.max(LEAST, Math.min(MOST, grid.size * factor));
  grid.x = column * grid.size - atX + left();
  grid.y = row * grid.size - atY + above();
  paint();
}

function keepInside() {
  const most = (cells, room) => Math.max(0, cells * grid.size - room + 8);
  grid.x = Math.max(0, Math.min(grid.x, most(grid.columns.length, grid.width - left())));
  grid.y = Math.max(0, Math.min(grid.y, most(grid.rows.length, grid.height - above())));
}

function resize() {
  const { width, height } = canvas.getBoundingClientRect();
  if (!width || !height) return;
  const dense = window.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [Math.round(width * dense), Math.round(height * dense)];
  [grid.width, grid.height] = [width, height];
  pen.setTransform(dense, 0, 0, dense, 0, 0);
  if (!grid.fitted) fit();
  grid.fitted = true;
  paint();
}

function paint() {
  if (!grid.width) return;
  const names = ['ground', 'paper', 'ink', 'soft', 'line', 'faint', 'accent', 'all', 'some', 'denied', 'cross', 'mark'];
  grid.colors = Object.fromEntries(names.map((name) => [name, cssOf(`--${name}`)]));
  keepInside();
  pen.fillStyle = grid.colors.ground;
  pen.fillRect(0, 0, grid.width, grid.height);
  clipped(left(), above(), grid.width, grid.height, () => { (grid.size < 8 ? paintPicture : paintCells)(); paintLines(); });
  paintNames();
}

function clipped(x, y, right, bottom, draw) {
  pen.save();
  pen.beginPath();
  pen.rect(x, y, right - x, bottom - y);
  pen.clip();
  draw();
  pen.restore();
}

/** First and last row and column on the screen. */
function onScreen() {
  const span = (offset, room, amount) => [Math.floor(offset / grid.size), Math.min(amount - 1, Math.floor((offset + room) / grid.size))];
  return [span(grid.y, grid.height - above(), grid.rows.length), span(grid.x, grid.width - left(), grid.columns.length)];
}

const leftOf = (column) => left() + column * grid.size - grid.x;
const topOf = (row) => above() + row * grid.size - grid.y;
const cellAt = (row, column) => portsOf(grid.rows[row], grid.columns[column]);

function paintCells() {
  const [[top, bottom], [first, last]] = onScreen();
  for (let row = top; row <= bottom; row += 1) {
    for (let column = first; column <= last; column += 1) paintCell(row, column);
  }
}

/** Told apart by shape too: all is full, some is half, denied a cross, unasked empty. */
function paintCell(row, column) {
  const ports = cellAt(row, column);
  if (ports === UNASKED || !grid.seen(grid.rows[row], grid.columns[column])) return;
  const part = grid.shares[ports], x = leftOf(column) + 1, y = topOf(row) + 1, size = grid.size - 2;
  pen.fillStyle = part === 'all' ? grid.colors.all : grid.colors.denied;
  pen.fillRect(x, y, size, size);
  if (part === 'all') return;
  pen.beginPath();
  if (part === 'some') {
    pen.fillStyle = grid.colors.some;
    pen.moveTo(x, y + size); pen.lineTo(x + size, y); pen.lineTo(x + size, y + size);
    pen.fill();
    return;
  }
  pen.strokeStyle = grid.colors.cross;
  const inset = size * 0.36;
  pen.moveTo(x + inset, y + inset); pen.lineTo(x + size - inset, y + size - inset);
  pen.moveTo(x + size - inset, y + inset); pen.lineTo(x + inset, y + size - inset);
  pen.stroke();
}

/** Small cells are a picture with a dot for each, drawn once and stretched. */
function paintPicture() {
  grid.picture ??= picture();
  pen.imageSmoothingEnabled = false;
  pen.drawImage(grid.picture, left() - grid.x, above() - grid.y, grid.columns.length * grid.size, grid.rows.length * grid.size);
}

function picture() {
  const sheet = document.createElement('canvas');
  [sheet.width, sheet.height] = [grid.columns.length, grid.rows.length];
  const brush = sheet.getContext('2d');
  const image = brush.createImageData(sheet.width, sheet.height);
  const dots = new Uint32Array(image.data.buffer);
  const dot = Object.fromEntries(['all', 'some', 'none'].map((part) => [part, dotOf(grid.colors[part === 'none' ? 'denied' : part])]));
  const empty = dotOf(grid.colors.ground);
  const of = grid.shares.map((part) => dot[part]);
  grid.rows.forEach((from, row) => {
    const cells = ROWS[from], start = row * sheet.width;
    grid.columns.forEach((to, column) => { dots[start + column] = cells[to] === UNASKED || !grid.seen(from, to) ? empty : of[cells[to]]; });
  });
  brush.putImageData(image, 0, 0);
  return sheet;
}

const dotOf = (color) => {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
};

function paintLines() {
  pen.fillStyle = grid.size < 8 ? grid.colors.line : grid.colors.soft;
  for (const { start } of groups(grid.columns)) if (start) pen.fillRect(leftOf(start) - 0.5, above(), 1, grid.rows.length * grid.size - grid.y);
  for (const { start } of groups(grid.rows)) if (start) pen.fillRect(left(), topOf(start) - 0.5, grid.columns.length * grid.size - grid.x, 1);
  for (const { row, column } of marked()) {
    pen.fillStyle = grid.colors.mark;
    pen.fillRect(left(), topOf(row), grid.width, grid.size);
    pen.fillRect(leftOf(column), above(), grid.size, grid.height);
  }
  pen.strokeStyle = grid.colors.accent;
  pen.lineWidth = 2;
  const { row, column } = grid.cursor;
  if (document.activeElement === canvas || view.chosen?.kind === 'pair') pen.strokeRect(leftOf(column), topOf(row), grid.size, grid.size);
  pen.lineWidth = 1;
}

const marked = () => (grid.hover ? [grid.hover] : document.activeElement === canvas ? [grid.cursor] : []);

/** Neighbours of one namespace. @param {number[]} ends @returns {{space: number, start: number, amount: number}[]} */
function groups(ends) {
  const found = [];
  ends.forEach((end, start) => {
    const space = ENDS[end].namespace;
    if (found.at(-1)?.space === space) found.at(-1).amount += 1;
    else found.push({ space, start, amount: 1 });
  });
  return found;
}

function paintNames() {
  pen.textBaseline = 'middle';
  clipped(0, above(), left(), grid.height, () => groups(grid.rows).forEach(paintRowGroup));
  clipped(left(), 0, grid.width, above(), () => groups(grid.columns).forEach(paintColumnGroup));
  pen.fillStyle = grid.colors.soft;
  pen.font = '12px system-ui, sans-serif';
  if (grid.size >= NAMED) pen.fillText('to →', left() - 36, above() - 34);
  if (grid.size >= NAMED) pen.fillText('from ↓', left() - 48, above() - 14);
  pen.fillStyle = grid.colors.line;
  pen.fillRect(0, above() - 1, grid.width, 1);
  pen.fillRect(left() - 1, 0, 1, grid.height);
}

/** The name of a namespace stays in sight as long as any of its rows is. */
function paintRowGroup({ space, start, amount }) {
  const top = topOf(start), bottom = topOf(start + amount);
  if (bottom < above() || top > grid.height) return;
  pen.fillStyle = grid.colors.line;
  pen.fillRect(0, top, left(), 1);
  const middle = Math.min(Math.max(top, above()) + Math.max(7, grid.size / 2), bottom - 5);
  if (bottom - top >= 9) label(SPACES[space].title, 8, middle, (grid.size >= NAMED ? LEFT_SPACE : left()) - 14, true);
  if (grid.size < NAMED) return;
  for (let row = start; row < start + amount; row += 1) {
    const lit = marked().some((each) => each.row === row);
    label(ENDS[grid.rows[row]].label, LEFT_SPACE, topOf(row) + grid.size / 2, LEFT_NAME - 8, lit);
  }
}

function paintColumnGroup({ space, start, amount }) {
  const x = Math.max(leftOf(start), left()), right = leftOf(start + amount);
  if (right < left() || leftOf(start) > grid.width) return;
  pen.fillStyle = grid.colors.line;
  pen.fillRect(leftOf(start), 0, 1, above());
  if (grid.size < NAMED) {
    if (right - x >= 9) upright(SPACES[space].title, (x + right) / 2, TOP_SPACE + SMALL_TOP - 8, true);
    return;
  }
  if (right - x >= 14) label(SPACES[space].title, x + 4, TOP_SPACE / 2 + 1, right - x - 8, true);
  for (let column = start; column < start + amount; column += 1) {
    const lit = marked().some((each) => each.column === column);
    upright(ENDS[grid.columns[column]].label, leftOf(column) + grid.size / 2, TOP_NAME - 10, lit);
  }
}

/** Text above a column, read from below. */
function upright(text, x, room, bold) {
  pen.save();
  pen.translate(x, above() - 7);
  pen.rotate(-Math.PI / 2);
  label(text, 0, 0, room, bold);
  pen.restore();
}

/** Text in a given room; what does not fit ends in an ellipsis. */
function label(text, x, y, room, bold) {
  pen.font = `${bold ? '600 ' : ''}${Math.min(13, Math.max(10, grid.size * 0.62))}px system-ui, sans-serif`;
  pen.fillStyle = grid.colors.ink;
  let shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  while (shown.length > 1 && pen.measureText(shown).width > room) shown = `${shown.slice(0, -2)}…`;
  pen.fillText(shown, x, y);
}

/** The cursor follows what is chosen elsewhere. */
function drawMatrix() {
  arrange();
  if (view.chosen?.kind === 'pair') {
    const row = grid.rows.indexOf(view.chosen.from), column = grid.columns.indexOf(view.chosen.to);
    if (row >= 0 && column >= 0) grid.cursor = { row, column };
  }
  canvas.setAttribute('aria-label', `${plural(grid.rows.length, 'source')} by ${plural(grid.columns.length, 'destination')}`);
  paint();
}
