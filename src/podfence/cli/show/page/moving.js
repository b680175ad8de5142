// ---- Moving in the matrix: what pointer and keys do.


function pointed(event) {
  const row = Math.floor((event.offsetY - above() + grid.y) / grid.size);
  const column = Math.floor((event.offsetX - left() + grid.x) / grid.size);
  const inside = event.offsetX >= left() && event.offsetY >= above() && row < grid.rows.length && column < grid.columns.length;
  return inside ? { row, column } : null;
}

const said = ({ row, column }) => pairText(grid.rows[row], grid.columns[column]);

function hover(event) {
  grid.hover = pointed(event);
  const tip = byId('tip');
  tip.hidden = !grid.hover;
  if (grid.hover) {
    tip.textContent = said(grid.hover);
    tip.style.left = `${Math.min(event.offsetX + 16, grid.width - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.offsetY + 18, grid.height - tip.offsetHeight - 8)}px`;
  }
  paint();
}

function choose() {
  const [from, to] = [grid.rows[grid.cursor.row], grid.columns[grid.cursor.column]];
  show({ chosen: { kind: 'pair', from, to } });
}

function step(rows, columns, byGroup) {
  const moved = (ends, place, by) => {
    if (!byGroup || !by) return Math.max(0, Math.min(ends.length - 1, place + by));
    const starts = groups(ends).map((group) => group.start);
    return by > 0 ? starts.find((start) => start > place) ?? ends.length - 1 : starts.findLast((start) => start < place) ?? 0;
  };
  grid.cursor = { row: moved(grid.rows, grid.cursor.row, rows), column: moved(grid.columns, grid.cursor.column, columns) };
  intoSight();
  byId('live').textContent = said(grid.cursor);
}

function intoSight() {
  const { row, column } = grid.cursor, { size } = grid;
  grid.y = Math.min(row * size, Math.max(grid.y, (row + 1) * size - grid.height + above()));
  grid.x = Math.min(column * size, Math.max(grid.x, (column + 1) * size - grid.width + left()));
  grid.hover = null;
  byId('tip').hidden = true;
  paint();
}

const KEYS = {
  ArrowUp: (event) => step(-1, 0, event.ctrlKey), ArrowDown: (event) => step(1, 0, event.ctrlKey),
  ArrowLeft: (event) => step(0, -1, event.ctrlKey), ArrowRight: (event) => step(0, 1, event.ctrlKey),
  PageUp: () => step(-20, 0), PageDown: () => step(20, 0),
  Home: (event) => step(event.ctrlKey ? -1e9 : 0, -1e9), End: (event) => step(event.ctrlKey ? 1e9 : 0, 1e9),
  Enter: choose, ' ': choose,
  '+': () => zoom(1.25), '=': () => zoom(1.25), '-': () => zoom(0.8), 0: () => { fit(); paint(); },
};

function watchMatrix() {
  let held = null;
  canvas.addEventListener('pointerdown', (event) => { held = { x: event.offsetX, y: event.offsetY, moved: false }; });
  canvas.addEventListener('pointermove', (event) => {
    if (held && event.buttons && (held.moved || Math.hypot(event.offsetX - held.x, event.offsetY - held.y) > 4)) {
      grid.x += held.x - event.offsetX;
      grid.y += held.y - event.offsetY;
      held = { x: event.offsetX, y: event.offsetY, moved: true };
    }
    hover(event);
  });
  canvas.addEventListener('pointerup', (event) => {
    const cell = held?.moved ? null : pointed(event);
    held = null;
    if (cell) { grid.cursor = cell; choose(); }
  });
  canvas.addEventListener('pointerleave', () => { grid.hover = null; byId('tip').hidden = true; paint(); });
  canvas.addEventListener('wheel', (event) => {
    event.preventDefault();
    if (event.ctrlKey) { zoom(event.deltaY < 0 ? 1.15 : 0.87, event.offsetX, event.offsetY); return; }
    grid.x += event.shiftKey ? event.deltaY : event.deltaX;
    grid.y += event.shiftKey ? 0 : event.deltaY;
    paint();
  }, { passive: false });
  canvas.addEventListener('keydown', (event) => {
    const act = KEYS[event.key];
    if (act) { event.preventDefault(); act(event); }
  });
  canvas.addEventListener('focus', paint);
  canvas.addEventListener('blur', paint);
  byId('in').addEventListener('click', () => zoom(1.25));
  byId('out').addEventListener('click', () => zoom(0.8));
  byId('fit').addEventListener('click', () => { fit(); paint(); });
  new ResizeObserver(resize).observe(canvas);
}
