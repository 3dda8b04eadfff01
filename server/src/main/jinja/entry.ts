// What the server uses of @huggingface/jinja: parse once, render often. Built from the package's sources, so that
// only the parser and the interpreter are bundled, and so that the host's clock can stand behind strftime_now.
import { tokenize } from "./node_modules/@huggingface/jinja/src/lexer";
import { parse as parseTokens } from "./node_modules/@huggingface/jinja/src/parser";
import { Environment, Interpreter, setupGlobals } from "./node_modules/@huggingface/jinja/src/runtime";
import { install } from "./python_strings";

install();

/** Parses a template with the whitespace rules that transformers uses for chat templates. */
export function parse(source: string) {
  return parseTokens(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
}

/** Renders a parsed template. `variables` is a JSON object; `strftimeNow` formats the present time. */
export function render(program: any, variables: string, strftimeNow: (format: string) => string): string {
  const environment = new Environment();
  setupGlobals(environment);
  environment.variables.delete("strftime_now");
  environment.set("strftime_now", (format: string) => String(strftimeNow(format)));
  const values = JSON.parse(variables);
  for (const name of Object.keys(values)) {
    environment.set(name, values[name]);
  }
  return new Interpreter(environment).run(program).value as string;
}
