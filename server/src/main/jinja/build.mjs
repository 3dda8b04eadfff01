// Writes ../resources/io/sfumato/server/text/jinja/jinja.js:  npm ci && npm run build
import * as fs from "node:fs";
import babel from "@babel/core";
import * as esbuild from "esbuild";

const OUTPUT = "../resources/io/sfumato/server/text/jinja";
const NOTICE = "// Generated from @huggingface/jinja 0.5.11 (MIT) by server/src/main/jinja/build.mjs. Licences: LICENSE beside this file.\n";

const bundle = await esbuild.build({
  entryPoints: ["entry.ts"],
  bundle: true,
  write: false,
  format: "iife",
  globalName: "jinja",
  target: "es2020",
  charset: "utf8",
});
const script = babel.transformSync(bundle.outputFiles[0].text, {
  presets: [["@babel/preset-env", { targets: { rhino: "1.8.0" }, modules: false }]],
  assumptions: {
    constantSuper: true,
    noClassCalls: true,
    noDocumentAll: true,
    privateFieldsAsProperties: true,
    setClassMethods: true,
    setPublicClassFields: true,
    superIsCallableConstructor: true,
  },
  sourceType: "script",
  compact: false,
  comments: false,
});
fs.writeFileSync(`${OUTPUT}/jinja.js`, NOTICE + script.code + "\n");

const licences = ["@huggingface/jinja", "@babel/core"].map(
  (name) => `${name}\n\n${fs.readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim()}\n`);
fs.writeFileSync(`${OUTPUT}/LICENSE`, licences.join("\n" + "-".repeat(80) + "\n\n"));
