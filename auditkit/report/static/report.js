(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const root = document.documentElement;
  root.classList.add("js");

  // Tables: sort, search, CSV. Values are read and written as text, never as markup.
  const columnOf = (row, index) => row.cells[index];
  const shownText = (cell) => cell.dataset.text ?? cell.dataset.value ?? cell.textContent.trim();
  const sortKey = (cell, numeric) => {
    const text = cell.dataset.value ?? cell.textContent.trim();
    return numeric ? (text === "" ? -Infinity : Number(text)) : text;
  };
  const compare = (a, b) => (typeof a === "number" ? a - b || 0 : a.localeCompare(b, "en", { numeric: true }));
  const csvCell = (text) => {
    // A spreadsheet would run a cell that starts like a formula; a number is left alone.
    const safe = /^[=+\-@\t\r\n]/.test(text) && !/^[+-]?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
    return `"${safe.replaceAll('"', '""')}"`;
  };
  const download = (name, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
    link.download = `${name.replace(/[^\w-]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 80) || "table"}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 4000);
  };

  for (const box of all("[data-table]")) {
    const body = box.querySelector("tbody");
    const rows = [...body.rows];
    const heads = all("thead th", box);
    const count = box.querySelector(".count");
    const whole = count.textContent;

    heads.forEach((head, index) => {
      const button = head.querySelector("button");
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const numeric = ["int", "float"].includes(head.dataset.type) || head.dataset.name === "severity";
        const keyed = rows.map((row) => [sortKey(columnOf(row, index), numeric), row]);
        keyed.sort((a, b) => (up ? compare(a[0], b[0]) : compare(b[0], a[0])));
        body.append(...keyed.map((pair) => pair[1]));
      });
    });

    const search = box.querySelector("input[type=search]");
    search?.addEventListener("input", () => {
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        left += row.hidden ? 0 : 1;
      }
      count.textContent = words.length ? `${left} of ${rows.length} rows match` : whole;
    });

    box.querySelector(".csv")?.addEventListener("click", () => {
      const lines = [heads.map((head) => csvCell(head.dataset.name)).join(",")];
      for (const row of body.rows) {
        if (!row.hidden) lines.push([...row.cells].map((cell) => csvCell(shownText(cell))).join(","));
      }
      download(box.dataset.table, lines.join("\r\n"));
    });
  }

  // Findings: severity chips and search.
  for (const group of all("[data-findings]")) {
    const cards = all(":scope > details.finding", group);
    const chips = all("[data-filter]", group);
    const fresh = group.querySelector("[data-filter-new]");
    const search = group.querySelector("input[type=search]");
    const count = group.querySelector(".finding-tools .count");
    const pressed = (chip) => chip?.getAttribute("aria-pressed") === "true";

    const apply = () => {
      const picked = chips.filter(pressed).map((chip) => chip.dataset.filter);
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let left = 0;
      for (const card of cards) {
        const text = words.length ? card.textContent.toLowerCase() : "";
        card.hidden =
          (picked.length > 0 && !picked.includes(card.dataset.severity)) ||
          (pressed(fresh) && !("new" in card.dataset)) ||
          !words.every((word) => text.includes(word));
        left += card.hidden ? 0 : 1;
      }
      count.textContent = left === cards.length ? "" : `${left} of ${cards.length} shown`;
    };
    for (const chip of [...chips, fresh].filter(Boolean)) {
      chip.addEventListener("click", () => {
        chip.setAttribute("aria-pressed", String(!pressed(chip)));
        apply();
      });
    }
    search.addEventListener("input", apply);

    const unfold = group.querySelector(".unfold");
    unfold.addEventListener("click", () => {
      const open = cards.some((card) => !card.hidden && !card.open);
      cards.forEach((card) => !card.hidden && (card.open = open));
      unfold.textContent = open ? "Close all" : "Open all";
    });

    group.addEventListener("pick", (event) => {
      chips.forEach((chip) => chip.setAttribute("aria-pressed", String(chip.dataset.filter === event.detail)));
      fresh?.setAttribute("aria-pressed", "false");
      search.value = "";
      apply();
    });
  }
  const pick = (severity) =>
    all("[data-findings]").forEach((group) => group.dispatchEvent(new CustomEvent("pick", { detail: severity })));
  for (const link of all("[data-pick]")) link.addEventListener("click", () => pick(link.dataset.pick));

  // A link to a finding opens it, whatever the chips say.
  const openTarget = () => {
    let id = location.hash.slice(1);
    try {
      id = decodeURIComponent(id);
    } catch {
      return; // not one of our anchors
    }
    const target = id && document.getElementById(id);
    if (!target) return;
    if (target.hidden) pick("");
    for (let node = target; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", openTarget);
  openTarget();

  // The section being read is marked in the contents.
  const links = new Map(all(".contents a[href^='#']").map((link) => [link.hash.slice(1), link]));
  const inView = new Set();
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) entry.isIntersecting ? inView.add(entry.target.id) : inView.delete(entry.target.id);
      const current = [...links.keys()].find((id) => inView.has(id));
      if (!current) return;
      links.forEach((link) => link.removeAttribute("aria-current"));
      links.get(current).setAttribute("aria-current", "true");
    },
    { rootMargin: "0px 0px -60% 0px" },
  );
  links.forEach((_, id) => document.getElementById(id) && watcher.observe(document.getElementById(id)));

  // Theme, print, copy.
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  document.getElementById("print").addEventListener("click", () => print());
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    folded.forEach((part) => (part.open = true));
  });
  addEventListener("afterprint", () => folded.forEach((part) => (part.open = false)));
  for (const button of all(".copy")) {
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code); // no clipboard here: the text is marked, ready for the keyboard
        button.textContent = "Marked";
      }
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
  }

  // Charts: no eval, nothing loaded, tooltips as text.
  const refuse = () => Promise.reject(new Error("This report loads nothing."));
  const loader = { load: refuse, http: refuse, file: refuse, sanitize: refuse };
  const tip = document.createElement("dl");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  const tooltip = (_handler, event, _item, value) => {
    tip.hidden = value === null || value === undefined || value === "";
    if (tip.hidden) return;
    tip.replaceChildren();
    const pairs = typeof value === "object" ? Object.entries(value) : [["", value]];
    for (const [name, text] of pairs) {
      const term = document.createElement("dt");
      const words = document.createElement("dd");
      term.textContent = name;
      words.textContent = String(text);
      tip.append(term, words);
    }
    const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
    tip.classList.toggle("below", event.clientY < tip.offsetHeight + 24);
    const top = event.clientY < tip.offsetHeight + 24 ? event.clientY + 16 : event.clientY - tip.offsetHeight - 12;
    tip.style.left = `${Math.max(8, Math.min(event.clientX + 12, room))}px`;
    tip.style.top = `${top}px`;
  };
  for (const place of all("[data-chart]")) {
    const spec = JSON.parse(document.getElementById(place.dataset.chart).textContent);
    const options = { mode: "vega-lite", renderer: "svg", ast: true, actions: false, defaultStyle: false, loader, tooltip };
    const canvas = document.createElement("div");
    place.append(canvas);
    vegaEmbed(canvas, spec, options).then(
      () => (place.dataset.drawn = "yes"),
      (error) => {
        canvas.remove();
        place.dataset.drawn = "no";
        place.textContent = "This chart could not be drawn; its numbers are below.";
        console.error(error);
      },
    );
  }
})();
