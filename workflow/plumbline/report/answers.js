// Every question with what two checkpoints answered: filtered, page by page. All text is set as text.
{
  const PAGE = 50;
  const element = (name, text = "", ...classes) => {
    const made = document.createElement(name);
    made.textContent = text;
    made.classList.add(...classes);
    return made;
  };
  const options = (select, names, chosen = 0) => {
    select.replaceChildren(...names.map((name, at) => new Option(name, at, at === chosen, at === chosen)));
  };
  const share = (right, n) => (n ? `${((100 * right) / n).toFixed(1)} %` : "–");
  // Of a question: whether the first checkpoint is right, then the second.
  const CHANGES = {
    "all questions": () => true,
    "right to wrong": (before, after) => before && !after,
    "wrong to right": (before, after) => !before && after,
    "right both times": (before, after) => before && after,
    "wrong both times": (before, after) => !before && !after,
  };

  const browse = (root, { sheets, texts }) => {
    const form = root.querySelector("form"), fields = form.elements;
    const [body, told, place] = ["tbody", ".told", ".place"].map((name) => root.querySelector(name));
    const [back, on] = root.querySelectorAll(".pages button");
    const filters = [...form.querySelectorAll("select[data-filter]")];
    let sheet, found = [], page = 0;

    const answer = (column, at) => {
      const right = sheet.right[column][at] === "1", shown = texts[sheet.outputs[column][at]].trim();
      const made = element("span", "", right ? "right" : "wrong");
      made.append(element("span", right ? "✓" : "✗", "mark"), element("span", right ? "right: " : "wrong: ", "spoken"));
      made.append(shown || "(nothing)");
      return made;
    };
    const column = (name) => Number(fields[name].value);

    const everybody = (at) => {
      const list = element("ul", "", "everybody");
      list.append(...sheet.checkpoints.map((name, which) => {
        const item = element("li");
        item.append(element("b", name), answer(which, at));
        return item;
      }));
      return list;
    };
    const row = (at) => {
      const made = element("tr"), asked = element("td"), more = element("button", sheet.questions[at]);
      more.type = "button";
      more.setAttribute("aria-expanded", "false");
      more.addEventListener("click", () => {
        const open = more.getAttribute("aria-expanded") === "false";
        more.setAttribute("aria-expanded", open);
        if (open) asked.append(everybody(at));
        else asked.lastChild.remove();
      });
      asked.append(more, element("small", `expected: ${sheet.accepted[at].join("; ")}`));
      const known = element("td", sheet.category.names[sheet.category.of[at]]);
      const cells = ["before", "after"].map((name) => {
        const cell = element("td");
        cell.dataset.of = sheet.checkpoints[column(name)];
        cell.append(answer(column(name), at));
        return cell;
      });
      made.append(asked, known, ...cells);
      return made;
    };

    const show = (to) => {
      const pages = Math.max(1, Math.ceil(found.length / PAGE));
      page = Math.min(Math.max(0, to), pages - 1);
      body.replaceChildren(...found.slice(page * PAGE, (page + 1) * PAGE).map(row));
      place.textContent = `page ${page + 1} of ${pages}`;
      back.disabled = page === 0;
      on.disabled = page === pages - 1;
    };
    const filter = () => {
      const before = column("before"), after = column("after"), counts = [0, 0, 0, 0];
      const keep = Object.values(CHANGES)[fields.change.value], words = fields.text.value.trim().toLowerCase();
      const wanted = filters.filter((select) => Number(select.value) > 0)
        .map((select) => [sheet[select.name].of, Number(select.value) - 1]);
      const said = (at) => [sheet.questions[at], ...sheet.accepted[at], texts[sheet.outputs[before][at]],
        texts[sheet.outputs[after][at]]].join("\n").toLowerCase();
      found = [];
      for (let at = 0; at < sheet.questions.length; at += 1) {
        const was = sheet.right[before][at] === "1", is = sheet.right[after][at] === "1";
        if (!wanted.every(([of, value]) => of[at] === value) || (words && !said(at).includes(words))) continue;
        counts[2 * was + is] += 1;
        if (keep(was, is)) found.push(at);
      }
      const [never, gained, lost, both] = counts, n = never + gained + lost + both;
      told.textContent = `${found.length.toLocaleString("en")} shown. Of ${n.toLocaleString("en")} questions right: `
        + `${sheet.checkpoints[before]} ${share(lost + both, n)}, ${sheet.checkpoints[after]} ${share(gained + both, n)}; `
        + `right to wrong ${lost}, wrong to right ${gained}.`;
      root.querySelector("th.before").textContent = sheet.checkpoints[before];
      root.querySelector("th.after").textContent = sheet.checkpoints[after];
      show(0);
    };
    const open = () => {
      sheet = sheets[fields.sheet.value];
      options(fields.before, sheet.checkpoints, 0);
      options(fields.after, sheet.checkpoints, sheet.after);
      for (const select of filters) {
        const { names } = sheet[select.name];
        options(select, ["all", ...names]);
        select.parentElement.hidden = names.length < 2;
      }
      filter();
    };

    options(fields.sheet, sheets.map((one) => one.title));
    options(fields.change, Object.keys(CHANGES));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", (event) => (event.target === fields.sheet ? open() : filter()));
    fields.text.addEventListener("input", filter);
    back.addEventListener("click", () => show(page - 1));
    on.addEventListener("click", () => show(page + 1));
    open();
    root.classList.add("ready");
  };

  // Unpacked when it comes near, so that the page is there at once however many answers there are.
  const root = document.getElementById("browser");
  if (root) {
    const watch = new IntersectionObserver(async (seen) => {
      if (!seen.some((one) => one.isIntersecting)) return;
      watch.disconnect();
      browse(root, JSON.parse(await unpack("packed-answers")));
    }, { rootMargin: "600px" });
    watch.observe(root);
  }
}
