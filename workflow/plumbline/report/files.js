// Files to save, made from the page itself: tables, figures, and what lies packed in it.
const unpack = async (id) => {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
};

{
  const save = (name, blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };
  const csv = (rows) => {
    const quoted = (text) => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const lines = rows.map((row) => row.map(quoted).join(",") + "\n");
    return new Blob(["\ufeff", ...lines], { type: "text/csv" });
  };

  // A cell's first and second line; numbers as programs read them.
  const lines = (cell) => {
    const spaced = (text) => text.replaceAll("\u00a0", " ");
    const below = cell.querySelector("small"), whole = spaced(cell.textContent).trim();
    const first = below ? whole.slice(0, -below.textContent.length).trim() : whole;
    const plain = first === "–" ? "" : first.replaceAll("−", "-");
    const number = plain.replaceAll(",", "");
    return [/^[+-]?[\d.]+$/.test(number) ? String(Number(number)) : plain, spaced(below?.textContent ?? "")];
  };
  // As it is shown: what is set below a value is a column of its own.
  const rowsOf = (table) => {
    const [groups, heads] = [...table.tHead.rows].length > 1 ? table.tHead.rows : [null, table.tHead.rows[0]];
    const over = groups ? [...groups.cells].flatMap((cell) => Array(cell.colSpan).fill(cell.textContent)) : [];
    const body = [...table.tBodies[0].rows].map((row) => [...row.cells].map(lines));
    const two = [...heads.cells].map((_, column) => body.some((row) => row[column][1]));
    const spread = (row) => row.flatMap(([first, second], column) => (two[column] ? [first, second] : [first]));
    const named = [...heads.cells].map((cell, column) => {
      const [text, below] = lines(cell);
      const name = [over[column], [text, below].filter(Boolean).join(" ")].filter(Boolean).join(": ");
      return [name, `${name} (below)`];
    });
    return [spread(named), ...body.map(spread)];
  };

  // The figure as it stands in figures/, in the colours for a light page.
  const drawing = (figure) => {
    const svg = figure.querySelector("svg").cloneNode(true);
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    const light = document.styleSheets[0].cssRules[0].style;
    const text = new XMLSerializer().serializeToString(svg)
      .replace(/var\((--[\w-]+)\)/g, (_, name) => light.getPropertyValue(name).trim());
    return { text, width, height };
  };
  const asPng = async ({ text, width, height }) => {
    const image = new Image(), scale = 3;
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: width * scale, height: height * scale });
    const sheet = canvas.getContext("2d");
    sheet.fillStyle = "#ffffff";
    sheet.fillRect(0, 0, canvas.width, canvas.height);
    sheet.drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  };

  const makers = {
    table: (button) => csv(rowsOf(button.closest(".tabled").querySelector("table"))),
    packed: async (button) => new Blob([await unpack(button.dataset.source)], { type: "text/csv" }),
    svg: (button) => new Blob([drawing(button.closest("figure")).text], { type: "image/svg+xml" }),
    png: (button) => asPng(drawing(button.closest("figure"))),
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-file]");
    if (button) save(button.dataset.file, await makers[button.dataset.made](button));
  });
}
