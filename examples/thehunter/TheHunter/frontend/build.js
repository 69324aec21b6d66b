// Writes the one page of the site to `dist`.
const fs = require("node:fs");

exports.page = (title) => `<!doctype html><title>${title}</title>\n`;

if (require.main === module) {
  fs.mkdirSync("dist", { recursive: true });
  fs.writeFileSync("dist/index.html", exports.page("The Hunter"));
}
