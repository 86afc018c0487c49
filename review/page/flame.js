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

  // amount.c
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

  function signed(text, value) {
    return value > 0 && !/^0\.0$/.test(text) ? `+${text}` : text;
  }

  function points(value) {
    const text = Math.abs(value).toFixed(1);
    return value < 0 && text !== "0.0" ? MINUS + text : signed(text, value);
  }

  function changeClass(value) {
    const step = STEPS.filter(least => Math.abs(value) >= least).length;
    return step === 0 ? "z" : (value < 0 ? "m" : "p") + step;
  }

  // names_label in names.c
  function shorten(name) {
    const path = name.search(/[[(]/);
    return name.slice(name.slice(0, path < 0 ? undefined : path).lastIndexOf("/") + 1) || name;
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

  function setUp(root) {
    const nodes = parse(root.querySelector(".flame-data").textContent);
    const svg = root.querySelector(".flame-graph");
    const details = root.querySelector(".flame-details");
    const tools = root.querySelector(".flame-tools");
    const [search, reset] = [tools.querySelector("input"), tools.querySelector("button")];
    const toThen = root.querySelector(".to-then");
    const {title, then, unit, kind} = root.dataset;
    const totals = [Number(root.dataset.total), Number(root.dataset.base)];
    const frames = new Map(); // index of what is drawn: its element
    let zoom = nodes[0], current = nodes[0], side = 0, hits = null, drawnWidth = 0;

    const valueOf = (shares, i) => shares[i] / PARTS * totals[i];
    const amountChange = shares => valueOf(shares, 0) - valueOf(shares, 1);
    function change(shares) {
      if (kind === "amounts")
        return amountChange(shares) / Math.max(...totals) * 100;
      return kind ? (shares[0] - shares[1]) / PARTS * 100 : 0;
    }

    function numbers(shares) {
      const now = `${percent(shares[0] / PARTS * 100)} of ${title} (${amount(valueOf(shares, 0), unit)})`;
      if (kind === "amounts") {
        const difference = amountChange(shares);
        return `${now}, ${then} ${amount(valueOf(shares, 1), unit)}, `
          + signed(amount(difference, unit), difference);
      }
      return kind ? `${now}, ${then} ${percent(shares[1] / PARTS * 100)}, ${points(change(shares))} points` : now;
    }

    function tell(node) {
      const own = [0, 1].map(i => node.children.reduce((rest, child) => rest - child.shares[i], node.shares[i]));
      const name = document.createElement("b");
      name.textContent = node.name;
      details.replaceChildren(name, document.createElement("br"), numbers(node.shares));
      if (node.children.length && own[0] > 0) {
        const more = document.createElement("span");
        more.textContent = `; itself ${percent(own[0] / PARTS * 100)}`;
        details.append(more);
      }
    }

    function draw(node, left, width, pixels) {
      const isBox = pixels >= BOX_PX;
      const outer = document.createElementNS(SVG, isBox ? "foreignObject" : "rect");
      const frame = isBox ? document.createElement("p") : outer;
      outer.setAttribute("x", `${left}%`);
      outer.setAttribute("y", node.depth * ROW);
      outer.setAttribute("width", isBox || pixels < 4 ? `${width}%` : `${width - 100 * GAP / drawnWidth}%`);
      outer.setAttribute("height", ROW - GAP);
      const difference = change(node.shares);
      frame.setAttribute("class", `frame ${changeClass(difference)} ${node.owner}`);
      frame.classList.toggle("is-above", node.depth < zoom.depth);
      frame.classList.toggle("is-hit", Boolean(hits && hits.has(node)));
      frame.dataset.index = node.index;
      frame.setAttribute("tabindex", node === current ? 0 : -1);
      frame.setAttribute("role", "treeitem");
      frame.setAttribute("aria-level", node.depth + 1);
      const label = node.owner === "x" ? node.name : shorten(node.name);
      let text = label; // as it is seen: the spoken name begins with it
      if (isBox) {
        frame.textContent = label;
        if (kind && pixels >= CHANGE_PX && Math.abs(difference) >= STEPS[0]) {
          const number = document.createElement("b");
          number.textContent = points(difference);
          frame.append(" ", number);
          text += ` ${number.textContent}`;
        }
        outer.append(frame);
      }
      frame.setAttribute("aria-label", `${text}, ${percent(node.shares[side] / PARTS * 100)}`);
      frames.set(node.index, frame);
      return outer;
    }

    function render() {
      while (zoom.shares[side] === 0 && zoom.parent)
        zoom = zoom.parent;
      drawnWidth = svg.clientWidth || 1000;
      const whole = zoom.shares[side] || 1;
      const drawn = [];
      let depth = 0;
      frames.clear();
      for (let i = 0; i < nodes.length;) {
        const node = nodes[i];
        const isAbove = i < zoom.index && node.end > zoom.index;
        const width = isAbove ? 100 : node.shares[side] / whole * 100;
        const isInside = i >= zoom.index && i < zoom.end;
        if (!isAbove && (!isInside || width * drawnWidth / 100 < LEAST_PX)) {
          i = node.end;
          continue;
        }
        drawn.push([node, isAbove ? 0 : (node.lefts[side] - zoom.lefts[side]) / whole * 100, width]);
        depth = Math.max(depth, node.depth);
        i++;
      }
      const drawnNodes = new Set(drawn.map(([node]) => node));
      while (!drawnNodes.has(current) && current.parent)
        current = current.parent;
      svg.setAttribute("height", (depth + 1) * ROW);
      svg.replaceChildren(...drawn.map(([node, left, width]) => draw(node, left, width, width * drawnWidth / 100)));
      reset.disabled = zoom === nodes[0];
    }

    function moveTo(node, focus = true) {
      frames.get(current.index)?.setAttribute("tabindex", -1);
      current = node;
      const frame = frames.get(node.index);
      frame?.setAttribute("tabindex", 0);
      if (focus)
        frame?.focus();
      tell(node);
    }

    function zoomTo(node, focus = true) {
      zoom = node;
      current = node;
      render();
      moveTo(current, focus);
    }

    function beside(node, step) {
      for (let i = node.index + step; i >= 0 && i < nodes.length; i += step)
        if (nodes[i].depth === node.depth && frames.has(i))
          return nodes[i];
      return node;
    }

    function target(key, node) {
      switch (key) {
      case "ArrowUp": return node.parent || node;
      case "ArrowDown": return node.children.find(child => frames.has(child.index)) || node;
      case "ArrowLeft": return beside(node, -1);
      case "ArrowRight": return beside(node, 1);
      case "Home": return nodes[0];
      case "End": return nodes[[...frames.keys()].at(-1)];
      default: return null;
      }
    }

    function matcher(text) {
      const expression = /^\/(.+)\/$/.exec(text);
      if (expression) {
        const regexp = new RegExp(expression[1], "i");
        return name => regexp.test(name);
      }
      const part = text.toLowerCase();
      return name => name.toLowerCase().includes(part);
    }

    // A frame below another that matches is in its share already.
    function find(text) {
      const matches = matcher(text), known = new Map(), sum = [0, 0];
      hits = new Set();
      let counted = 0;
      for (const node of nodes) {
        if (!known.has(node.name))
          known.set(node.name, matches(node.name));
        if (node.owner === "x" || !known.get(node.name))
          continue;
        hits.add(node);
        if (node.index < counted)
          continue;
        node.shares.forEach((share, i) => sum[i] += share);
        counted = node.end;
      }
      return hits.size === 0 ? "No frame matches." : `${hits.size === 1 ? "1 frame matches" : `${hits.size} frames match`}: ${numbers(sum)}`;
    }

    function lookFor(text) {
      let told = "";
      hits = null;
      search.removeAttribute("aria-invalid");
      try {
        told = text ? find(text) : "";
      } catch (error) {
        hits = null;
        search.setAttribute("aria-invalid", "true");
        told = `This is no regular expression: ${error.message}`;
      }
      svg.classList.toggle("is-searched", hits !== null);
      for (const [index, frame] of frames)
        frame.classList.toggle("is-hit", Boolean(hits && hits.has(nodes[index])));
      details.textContent = told || hint;
    }

    const nodeOf = element => {
      const frame = element.closest?.("[data-index]");
      return frame && nodes[Number(frame.dataset.index)];
    };
    const hint = matchMedia("(hover: none)").matches ? "Tap a frame to zoom in."
      : "Click a frame to zoom in. Keys: arrows move, Enter zooms in, Esc zooms out, / searches.";

    svg.addEventListener("click", event => {
      const node = nodeOf(event.target);
      if (node)
        zoomTo(node);
    });
    svg.addEventListener("pointerover", event => {
      const node = nodeOf(event.target);
      if (node)
        tell(node);
    });
    svg.addEventListener("focusin", event => {
      const node = nodeOf(event.target);
      if (node && node !== current)
        moveTo(node, false);
      else if (node)
        tell(node);
    });
    svg.addEventListener("keydown", event => {
      if (event.altKey || event.ctrlKey || event.metaKey)
        return;
      if (event.key === "Enter" || event.key === " ") {
        zoomTo(current);
        event.preventDefault();
        return;
      }
      const node = target(event.key, current);
      if (node) {
        moveTo(node);
        event.preventDefault();
      }
    });
    reset.addEventListener("click", () => zoomTo(nodes[0]));
    search.addEventListener("input", () => lookFor(search.value.trim()));
    search.addEventListener("keydown", event => {
      if (event.key !== "Enter" || !hits)
        return;
      const largest = [...hits].sort((a, b) => b.shares[side] - a.shares[side])[0];
      if (largest && frames.has(largest.index))
        moveTo(largest);
      else if (largest)
        zoomTo(largest);
      event.preventDefault();
    });
    root.addEventListener("change", event => {
      if (event.target.type !== "radio")
        return;
      side = toThen.checked ? 1 : 0;
      render();
    });
    for (const name of ["pointerdown", "focusin"])
      root.addEventListener(name, () => { active = graph; });
    new ResizeObserver(() => {
      if (svg.clientWidth && Math.abs(svg.clientWidth - drawnWidth) > 40)
        render();
    }).observe(svg);

    const graph = {
      root,
      search,
      // Esc: what was searched first, then the zoom.
      leave() {
        if (search.value) {
          search.value = "";
          lookFor("");
        } else if (zoom !== nodes[0]) {
          zoomTo(nodes[0], root.contains(document.activeElement));
        } else {
          return false;
        }
        return true;
      },
    };
    svg.setAttribute("role", "tree");
    svg.classList.add("is-live");
    if (toThen)
      toThen.disabled = false;
    tools.hidden = details.hidden = false;
    details.textContent = hint;
    render();
    return graph;
  }

  function isVisible(graph) {
    const box = graph.root.getBoundingClientRect();
    return box.height > 0 && box.bottom > 0 && box.top < innerHeight;
  }

  function start() {
    const graphs = [...document.querySelectorAll(".flame")].map(setUp);
    document.addEventListener("keydown", event => {
      const isTyping = event.target.closest?.("input:not([type=radio]), textarea, select, [contenteditable]");
      if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey)
        return;
      if (event.key === "/" && !isTyping) {
        const graph = active && isVisible(active) ? active : graphs.find(isVisible);
        if (graph) {
          graph.search.focus();
          graph.search.select();
          event.preventDefault();
        }
      } else if (event.key === "Escape" && active && (!isTyping || event.target === active.search)) {
        if (active.leave())
          event.preventDefault();
      }
    });
  }

  if (document.readyState === "loading")
    document.addEventListener("DOMContentLoaded", start);
  else
    start();
})();
