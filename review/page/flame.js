/* Flame graphs: the small frames, zoom, search, the keyboard and the line of details. What a page
   has without this script, and the form of the data, are in flame.h and flame_data.c. */
(() => {
  "use strict";

  const ROW = 20, GAP = 1;
  const BOX_PX = 24; // from here on a frame has text
  const CHANGE_PX = 120; // and from here on also its change
  const LEAST_PX = 3; // what has less is drawn when its caller is zoomed into
  const PARTS = 100000; // of a total, in the data
  const STEPS = [0.5, 2, 5, 15, 40]; // flame_steps in flame.c
  const MINUS = "\u2212";
  const SVG = "http://www.w3.org/2000/svg";
  let active = null; // the graph that was used last

  const BYTES = [[1, 1, "B"], [1024, 1024, "KiB"], [1024 ** 2, 1024 ** 2, "MiB"],
    [1024 ** 3, 1024 ** 3, "GiB"], [1024 ** 4, 1024 ** 4, "TiB"]];
  const TIMES = [[1, 1, "ns"], [1e3, 1e3, "µs"], [1e6, 1e6, "ms"], [1e9, 1e9, "s"],
    [600e9, 60e9, "min"], [36000e9, 3600e9, "h"]];

  // amount_text
  function amount(value, unit) {
    const sign = value < 0 ? MINUS : "";
    value = Math.abs(value);
    if (!unit)
      return sign + Math.round(value).toLocaleString("en");
    const steps = unit === "B" ? BYTES : TIMES;
    const step = steps.findLast(([from]) => value >= from) || steps[0];
    const number = value / step[1];
    const isWhole = step === steps[0] && Number.isInteger(number);
    return `${sign}${number.toFixed(isWhole || number >= 99.95 ? 0 : number >= 9.995 ? 1 : 2)} ${step[2]}`;
  }

  const percent = value => value > 0 && value < 0.05 ? "<0.1%" : `${value.toFixed(1)}%`;

  // amount_points
  function points(value) {
    const text = Math.abs(value).toFixed(1);
    return (text === "0.0" ? "" : value < 0 ? MINUS : "+") + text;
  }

  // flame_change_class
  function changeClass(value) {
    const step = STEPS.filter(least => Math.abs(value) >= least).length;
    return step === 0 ? "z" : (value < 0 ? "m" : "p") + step;
  }

  // names_label
  function shorten({name, owner}) {
    const path = name.search(/[[(]/);
    const start = name.slice(0, path < 0 ? undefined : path).lastIndexOf("/") + 1;
    return owner === "x" ? name : name.slice(start) || name;
  }

  function parse(text) {
    const [nameLines, lines] = text.split("\n\n").map(part => part.split("\n"));
    const names = [], nodes = [], path = [];
    for (const line of nameLines) {
      const space = line.indexOf(" "), before = names.at(-1)?.text || "";
      const shared = parseInt(line.slice(1, space), 36);
      names.push({owner: line[0], text: before.slice(0, shared) + line.slice(space + 1)});
    }
    for (const line of lines) {
      if (!line)
        continue;
      const [name, depth, value = 0, base = 0] = line.split(" ").map(part => parseInt(part, 36));
      const node = {index: nodes.length, depth, shares: [value, base], lefts: [0, 0],
        owner: names[name].owner, name: names[name].text, parent: path[depth - 1] || null,
        children: [], end: 0};
      if (node.parent) {
        const before = node.parent.children.at(-1);
        node.lefts = before ? before.lefts.map((left, i) => left + before.shares[i])
          : node.parent.lefts.slice();
        node.parent.children.push(node);
      }
      path[depth] = node;
      nodes.push(node);
    }
    for (const node of nodes.toReversed())
      node.end = node.children.length ? node.children.at(-1).end : node.index + 1;
    return nodes;
  }

  // Which names a search is for: a part of them, or /a regular expression/. Throws a SyntaxError.
  function matcher(text) {
    const expression = /^\/(.+)\/$/.exec(text);
    if (expression) {
      const regexp = new RegExp(expression[1], "i");
      return name => regexp.test(name);
    }
    const part = text.toLowerCase();
    return name => name.toLowerCase().includes(part);
  }

  class Graph {
    constructor(root) {
      this.root = root;
      this.nodes = parse(root.querySelector(".flame-data").textContent);
      this.svg = root.querySelector(".flame-graph");
      this.details = root.querySelector(".flame-details");
      this.tools = root.querySelector(".flame-tools");
      this.search = this.tools.querySelector("input");
      this.reset = this.tools.querySelector("button");
      this.toThen = root.querySelector(".to-then");
      this.totals = [Number(root.dataset.total), Number(root.dataset.base)];
      this.side = 0; // whose shares are the widths: 0 now, 1 the base
      this.zoom = this.current = this.nodes[0];
      this.hits = null; // nodes that a search has found
      this.frames = new Map(); // index of what is drawn: its element
      this.drawnWidth = 0;
      this.hint = matchMedia("(pointer: coarse)").matches ? "Tap a frame to zoom in."
        : "Click a frame to zoom in. Keys: arrows move, Enter zooms in, Esc zooms out, / searches.";
      this.listen();
      this.show();
    }

    show() {
      this.svg.setAttribute("role", "tree");
      this.svg.classList.add("is-live");
      if (this.toThen)
        this.toThen.disabled = false;
      this.tools.hidden = this.details.hidden = false;
      this.details.textContent = this.hint;
      this.render();
    }

    valueOf(shares, side) {
      return shares[side] / PARTS * this.totals[side];
    }

    // comparison_points
    pointsOf(shares) {
      switch (this.root.dataset.kind) {
      case "amounts": return (this.valueOf(shares, 0) - this.valueOf(shares, 1)) / Math.max(...this.totals) * 100;
      case "shares": return (shares[0] - shares[1]) / PARTS * 100;
      default: return 0;
      }
    }

    // flame_write_numbers
    numbers(shares) {
      const {title, then, unit, kind} = this.root.dataset;
      const [value, base] = [0, 1].map(side => this.valueOf(shares, side));
      const now = `${percent(shares[0] / PARTS * 100)} of ${title} (${amount(value, unit)})`;
      switch (kind) {
      case "amounts":
        return `${now}, ${then} ${amount(base, unit)}, ${value > base ? "+" : ""}${amount(value - base, unit)}`;
      case "shares":
        return `${now}, ${then} ${percent(shares[1] / PARTS * 100)}, ${points(this.pointsOf(shares))} points`;
      default:
        return now;
      }
    }

    tell(node) {
      const name = document.createElement("b");
      name.textContent = node.name;
      this.details.replaceChildren(name, document.createElement("br"), this.numbers(node.shares));
      const own = node.children.reduce((rest, child) => rest - child.shares[0], node.shares[0]);
      if (node.children.length === 0 || own <= 0)
        return;
      const more = document.createElement("span");
      more.textContent = `; itself ${percent(own / PARTS * 100)}`;
      this.details.append(more);
    }

    // A box with text, or a rectangle where there is no room for any.
    draw({node, left, width}) {
      const pixels = width * this.drawnWidth / 100;
      const isBox = pixels >= BOX_PX;
      const outer = document.createElementNS(SVG, isBox ? "foreignObject" : "rect");
      const frame = isBox ? document.createElement("p") : outer;
      const gap = isBox || pixels < 4 ? 0 : 100 * GAP / this.drawnWidth;
      outer.setAttribute("x", `${left}%`);
      outer.setAttribute("y", node.depth * ROW);
      outer.setAttribute("width", `${width - gap}%`);
      outer.setAttribute("height", ROW - GAP);
      this.describe(frame, node);
      if (isBox) {
        this.label(frame, node, pixels);
        outer.append(frame);
      }
      // What is said begins with what is seen.
      const seen = isBox ? frame.textContent : shorten(node);
      frame.setAttribute("aria-label", `${seen}, ${percent(node.shares[this.side] / PARTS * 100)}`);
      this.frames.set(node.index, frame);
      return outer;
    }

    describe(frame, node) {
      frame.setAttribute("class", `frame ${changeClass(this.pointsOf(node.shares))} ${node.owner}`);
      frame.classList.toggle("is-above", node.depth < this.zoom.depth);
      frame.classList.toggle("is-hit", Boolean(this.hits?.has(node)));
      frame.dataset.index = node.index;
      frame.setAttribute("tabindex", node === this.current ? 0 : -1);
      frame.setAttribute("role", "treeitem");
      frame.setAttribute("aria-level", node.depth + 1);
    }

    label(frame, node, pixels) {
      const change = this.pointsOf(node.shares);
      frame.textContent = shorten(node);
      if (pixels < CHANGE_PX || Math.abs(change) < STEPS[0])
        return;
      const number = document.createElement("b");
      number.textContent = points(change);
      frame.append(" ", number);
    }

    // What is to be drawn: what the zoom is in, as wide as it, and what of it is wide enough.
    layOut() {
      const {nodes, zoom, side} = this;
      const whole = zoom.shares[side] || 1, placed = [];
      for (let i = 0; i < nodes.length;) {
        const node = nodes[i];
        const isAbove = i < zoom.index && node.end > zoom.index;
        const isInside = i >= zoom.index && i < zoom.end;
        const width = isAbove ? 100 : node.shares[side] / whole * 100;
        const left = isAbove ? 0 : (node.lefts[side] - zoom.lefts[side]) / whole * 100;
        const isDrawn = isAbove || (isInside && width * this.drawnWidth / 100 >= LEAST_PX);
        if (isDrawn)
          placed.push({node, left, width});
        i = isDrawn ? i + 1 : node.end;
      }
      return placed;
    }

    render() {
      while (this.zoom.shares[this.side] === 0 && this.zoom.parent)
        this.zoom = this.zoom.parent;
      this.drawnWidth = this.svg.clientWidth || 1000;
      const placed = this.layOut(), drawn = new Set(placed.map(({node}) => node));
      while (!drawn.has(this.current) && this.current.parent)
        this.current = this.current.parent;
      const hasFocus = this.svg.contains(document.activeElement);
      this.frames.clear();
      this.svg.setAttribute("height", (1 + Math.max(0, ...placed.map(({node}) => node.depth))) * ROW);
      this.svg.replaceChildren(...placed.map(place => this.draw(place)));
      this.reset.disabled = this.zoom === this.nodes[0];
      if (hasFocus)
        this.frames.get(this.current.index)?.focus();
    }

    moveTo(node, focus = true) {
      this.frames.get(this.current.index)?.setAttribute("tabindex", -1);
      this.current = node;
      const frame = this.frames.get(node.index);
      frame?.setAttribute("tabindex", 0);
      if (focus)
        frame?.focus();
      this.tell(node);
    }

    zoomTo(node, focus = true) {
      this.zoom = this.current = node;
      this.render();
      this.moveTo(this.current, focus);
    }

    // The next frame of the same row.
    beside(node, step) {
      for (let i = node.index + step; i >= 0 && i < this.nodes.length; i += step)
        if (this.nodes[i].depth === node.depth && this.frames.has(i))
          return this.nodes[i];
      return node;
    }

    target(key, node) {
      switch (key) {
      case "ArrowUp": return node.parent || node;
      case "ArrowDown": return node.children.find(child => this.frames.has(child.index)) || node;
      case "ArrowLeft": return this.beside(node, -1);
      case "ArrowRight": return this.beside(node, 1);
      case "Home": return this.nodes[0];
      case "End": return this.nodes[[...this.frames.keys()].at(-1)];
      default: return null;
      }
    }

    // A frame below another that matches is in its share already.
    find(text) {
      const matches = matcher(text), known = new Map(), sum = [0, 0];
      let counted = 0;
      this.hits = new Set();
      for (const node of this.nodes) {
        if (!known.has(node.name))
          known.set(node.name, matches(node.name));
        if (node.owner === "x" || !known.get(node.name))
          continue;
        this.hits.add(node);
        if (node.index < counted)
          continue;
        node.shares.forEach((share, side) => { sum[side] += share; });
        counted = node.end;
      }
      const count = this.hits.size;
      return count === 0 ? "No frame matches."
        : `${count === 1 ? "1 frame matches" : `${count} frames match`}: ${this.numbers(sum)}`;
    }

    lookFor(text) {
      let told = "";
      this.hits = null;
      this.search.removeAttribute("aria-invalid");
      try {
        told = text ? this.find(text) : "";
      } catch (error) {
        this.hits = null;
        this.search.setAttribute("aria-invalid", "true");
        told = `This is no regular expression: ${error.message}`;
      }
      this.svg.classList.toggle("is-searched", this.hits !== null);
      for (const [index, frame] of this.frames)
        frame.classList.toggle("is-hit", Boolean(this.hits?.has(this.nodes[index])));
      this.details.textContent = told || this.hint;
    }

    // To the largest of what a search has found.
    goToHit() {
      const [largest] = [...this.hits || []].sort((a, b) => b.shares[this.side] - a.shares[this.side]);
      if (largest && this.frames.has(largest.index))
        this.moveTo(largest);
      else if (largest)
        this.zoomTo(largest);
    }

    // Esc: what was searched first, then the zoom. Whether there was either.
    leave() {
      if (this.search.value) {
        this.search.value = "";
        this.lookFor("");
      } else if (this.zoom !== this.nodes[0]) {
        this.zoomTo(this.nodes[0], this.root.contains(document.activeElement));
      } else {
        return false;
      }
      return true;
    }

    // fn(node, event) for what happens to a frame.
    onFrame(type, fn) {
      this.svg.addEventListener(type, event => {
        const frame = event.target.closest?.("[data-index]");
        if (frame)
          fn(this.nodes[Number(frame.dataset.index)], event);
      });
    }

    listen() {
      this.onFrame("click", node => this.zoomTo(node));
      this.onFrame("pointerover", node => this.tell(node));
      this.onFrame("focusin", node => this.moveTo(node, false));
      this.onFrame("keydown", (node, event) => this.press(node, event));
      this.reset.addEventListener("click", () => this.zoomTo(this.nodes[0]));
      this.search.addEventListener("input", () => this.lookFor(this.search.value.trim()));
      this.search.addEventListener("keydown", event => {
        if (event.key === "Enter")
          this.goToHit();
      });
      this.root.addEventListener("change", event => {
        if (event.target.type !== "radio")
          return;
        this.side = this.toThen.checked ? 1 : 0;
        this.render();
      });
      for (const type of ["pointerdown", "focusin"])
        this.root.addEventListener(type, () => { active = this; });
      new ResizeObserver(() => {
        if (this.svg.clientWidth && Math.abs(this.svg.clientWidth - this.drawnWidth) > 40)
          this.render();
      }).observe(this.svg);
    }

    press(node, event) {
      if (event.altKey || event.ctrlKey || event.metaKey)
        return;
      const isZoom = event.key === "Enter" || event.key === " ";
      const next = isZoom ? node : this.target(event.key, node);
      if (!next)
        return;
      event.preventDefault();
      if (isZoom)
        this.zoomTo(next);
      else
        this.moveTo(next);
    }

    isShown() {
      return this.root.getBoundingClientRect().height > 0;
    }

    isVisible() {
      const box = this.root.getBoundingClientRect();
      return box.height > 0 && box.bottom > 0 && box.top < innerHeight;
    }
  }

  // The graph that was used last if it is in sight, else the first that is, else the first of the page.
  function toSearch(graphs) {
    if (active?.isVisible())
      return active;
    return graphs.find(each => each.isVisible()) || graphs.find(each => each.isShown()) || graphs[0];
  }

  // For the whole page: / searches a graph, Esc is for the one that was used last.
  function press(event, graphs) {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey)
      return;
    const isTyping = event.target.closest?.("input:not([type=radio]), textarea, select, [contenteditable]");
    if (event.key === "/" && !isTyping) {
      const graph = toSearch(graphs);
      if (!graph)
        return;
      for (let folded = graph.root.closest("details"); folded; folded = folded.parentElement.closest("details"))
        folded.open = true;
      graph.search.focus();
      graph.search.select();
      event.preventDefault();
    } else if (event.key === "Escape" && active && (!isTyping || event.target === active.search)) {
      if (active.leave())
        event.preventDefault();
    }
  }

  function start() {
    const graphs = [...document.querySelectorAll(".flame")].map(root => new Graph(root));
    document.addEventListener("keydown", event => press(event, graphs));
  }

  if (document.readyState === "loading")
    document.addEventListener("DOMContentLoaded", start);
  else
    start();
})();
