/// The document behind `/webadmin/`. It has no parts of its own to load, and puts what it shows into the page as text only.
enum WebAdminPage {
    static let text = #"""
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Martlet</title>
        <style>
        :root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
        body { margin: 0 auto; max-width: 70rem; padding: 1rem; }
        nav a { margin-right: 1rem; }
        nav a[aria-current] { font-weight: bold; text-decoration: none; }
        table { border-collapse: collapse; margin: .7rem 0; }
        th, td { border: 1px solid #8886; padding: .25rem .6rem; text-align: left; vertical-align: top; }
        td { font-family: ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
        textarea { box-sizing: border-box; font: 14px ui-monospace, monospace; min-height: 6rem; width: 100%; }
        .scroll { overflow-x: auto; }
        .problem { color: #c33; white-space: pre-wrap; font-family: ui-monospace, monospace; }
        [hidden] { display: none; }
        </style>
        </head>
        <body>
        <h1>Martlet</h1>
        <nav aria-label="Parts">
        <a href="#/overview">Overview</a><a href="#/data">Data</a><a href="#/info">Management beans</a>
        </nav>
        <main>
        <section id="overview"><h2>Overview</h2><p id="said" role="status"></p><div class="scroll"><table id="status"></table></div>
        <h3>Members</h3><div class="scroll"><table id="members"></table></div></section>
        <section id="data" hidden><h2>Data</h2>
        <form id="query"><label for="text">Cypher</label>
        <textarea id="text" spellcheck="false">START n=node(*) RETURN n LIMIT 25</textarea>
        <button>Run</button> <span>or Ctrl-Enter</span></form>
        <p id="outcome" role="status"></p><div class="scroll"><table id="rows"></table></div></section>
        <section id="info" hidden><h2>Management beans</h2><div id="beans"></div></section>
        </main>
        <script>
        "use strict";
        const find = id => document.getElementById(id);
        const element = (name, text) => { const it = document.createElement(name); if (text !== undefined) it.textContent = text; return it; };
        const shown = value => value === null || value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value);

        async function ask(path, body) {
          const options = { headers: { Accept: "application/json" } };
          if (body !== undefined) {
            options.method = "POST";
            options.headers["Content-Type"] = "application/json";
            options.body = JSON.stringify(body);
          }
          const answer = await fetch(path, options);
          const json = await answer.json();
          if (!answer.ok) throw new Error(json.message || answer.status);
          return json;
        }

        function fill(table, columns, rows) {
          table.replaceChildren();
          if (columns) {
            const head = element("tr");
            for (const column of columns) { const cell = element("th", column); cell.scope = "col"; head.append(cell); }
            table.append(head);
          }
          for (const row of rows) {
            const line = element("tr");
            for (const value of row) line.append(element("td", shown(value)));
            table.append(line);
          }
        }

        async function overview() {
          try {
            const status = await ask("/hastatus");
            find("said").textContent = "";
            const plain = Object.entries(status).filter(([key, value]) => key !== "members" && value !== null);
            fill(find("status"), null, plain);
            const members = status.members || [];
            const columns = members.length ? Object.keys(members[0]) : ["this server stands alone"];
            fill(find("members"), columns, members.map(member => columns.map(column => member[column])));
          } catch (problem) { find("said").textContent = "This server does not answer: " + problem.message; }
        }

        // An entity as its id and properties, anything else as it is.
        function brief(value) {
          if (Array.isArray(value)) return value.map(brief);
          if (value && typeof value === "object" && value.self && value.data) {
            return value.self.replace(/.*\/db\/data\//, "") + (value.type ? " :" + value.type : "") + " " + JSON.stringify(value.data);
          }
          return value;
        }

        async function run(event) {
          event.preventDefault();
          const outcome = find("outcome");
          outcome.className = "";
          outcome.textContent = "…";
          find("rows").replaceChildren();
          const start = performance.now();
          try {
            const result = await ask("/db/data/cypher", { query: find("text").value, params: {} });
            fill(find("rows"), result.columns, result.data.map(row => row.map(brief)));
            const count = result.data.length;
            outcome.textContent = count + (count === 1 ? " row, " : " rows, ") + Math.round(performance.now() - start) + " ms";
          } catch (problem) {
            outcome.className = "problem";
            outcome.textContent = problem.message;
          }
        }

        async function beans(wanted) {
          const place = find("beans");
          try {
            const list = await ask("/db/manage/server/jmx/query", ["org.neo4j:*"]);
            place.replaceChildren();
            for (const bean of list) {
              const name = (/name=([^,]*)/.exec(bean.name) || ["", bean.name])[1];
              const part = element("details");
              part.open = wanted === name;
              part.append(element("summary", name + ": " + shown(bean.description)));
              const table = element("table");
              fill(table, ["attribute", "value", ""], (bean.attributes || []).map(it => [it.name, it.value, it.description]));
              part.append(table);
              place.append(part);
              if (part.open) part.scrollIntoView();
            }
          } catch (problem) { place.replaceChildren(element("p", problem.message)); }
        }

        function show() {
          const path = decodeURIComponent(location.hash.slice(2)).split("/");
          const part = ["overview", "data", "info"].includes(path[0]) ? path[0] : "overview";
          for (const section of document.querySelectorAll("section")) section.hidden = section.id !== part;
          for (const link of document.querySelectorAll("nav a")) {
            if (link.hash === "#/" + part) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
          }
          // As in #/info/org.neo4j/High%20Availability/
          if (part === "info") beans(path[2]);
          if (part === "overview") overview();
        }

        find("query").addEventListener("submit", run);
        find("text").addEventListener("keydown", event => { if (event.key === "Enter" && event.ctrlKey) run(event); });
        addEventListener("hashchange", show);
        setInterval(() => { if (!find("overview").hidden) overview(); }, 5000);
        show();
        </script>
        </body>
        </html>

        """#
}
