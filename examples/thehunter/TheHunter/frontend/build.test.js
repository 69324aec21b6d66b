const test = require("node:test");
const assert = require("node:assert");
const { page } = require("./build.js");

test("the page has its title", () => assert.match(page("Jobs"), /<title>Jobs/));
