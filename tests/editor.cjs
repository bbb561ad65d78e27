// Asks VS Code's own JSON engine: one question a line, one answer a line, both JSON. Schemas are read from where "$schema" leads.
const { readFile } = require("fs/promises");
const { createInterface } = require("readline");
const { fileURLToPath } = require("url");
const { getLanguageService, TextDocument } = require("vscode-json-languageservice");

const engine = getLanguageService({
  schemaRequestService: (uri) => readFile(fileURLToPath(uri), "utf8"),
  workspaceContext: { resolveRelativePath: (relative, resource) => new URL(relative, resource).toString() },
});

const plain = (content) => (typeof content === "string" ? content : (content?.value ?? ""));

async function answer({ uri, text, offset }) {
  const document = TextDocument.create(uri, "json", 1, text);
  const parsed = engine.parseJSONDocument(document);
  const position = document.positionAt(offset);
  const problems = await engine.doValidation(document, parsed);
  const completions = await engine.doComplete(document, position, parsed);
  const hover = await engine.doHover(document, position, parsed);
  return {
    problems: problems.map(({ message, range: { start, end } }) => ({
      message, line: start.line + 1, column: start.character + 1, text: document.getText({ start, end }),
    })),
    offers: completions.items.map((item) => ({
      label: item.label, inserts: item.insertText, explains: plain(item.documentation),
    })),
    hover: [hover?.contents ?? []].flat().map(plain).join("\n"),
  };
}

(async () => {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + "\n");
  }
})();
