// Strings as Python has them, where @huggingface/jinja has JavaScript's: which characters are white space, strip()
// with characters to strip, lengths in code points, capitalize().
import { FunctionValue, IntegerValue, StringValue } from "./node_modules/@huggingface/jinja/src/runtime";

const WHITE_SPACE =
  "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";

const SURROGATE = /[\ud800-\udfff]/;

function strip(text: string, characters: string, atStart: boolean, atEnd: boolean): string {
  const letters: string | string[] = SURROGATE.test(characters) ? Array.from(text) : text;
  const stripped: string | string[] = letters === text ? characters : Array.from(characters);
  let start = 0;
  let end = letters.length;
  while (atStart && start < end && stripped.indexOf(letters[start]) >= 0) {
    start++;
  }
  while (atEnd && end > start && stripped.indexOf(letters[end - 1]) >= 0) {
    end--;
  }
  const kept = letters.slice(start, end);
  return typeof kept === "string" ? kept : kept.join("");
}

function method(self: any, atStart: boolean, atEnd: boolean) {
  return new FunctionValue((args: any[]) => {
    const characters = args.length > 0 && args[0].type === "StringValue" ? args[0].value : WHITE_SPACE;
    return new StringValue(strip(self.value, characters, atStart, atEnd));
  });
}

/** Changes the interpreter's strings, and JavaScript's own trim, with which the lexer and the trim filter work. */
export function install() {
  const prototype: any = String.prototype;
  const trims: [string, boolean, boolean][] = [["trim", true, true], ["trimStart", true, false], ["trimEnd", false, true]];
  for (const [name, atStart, atEnd] of trims) {
    prototype[name] = function () {
      return strip(String(this), WHITE_SPACE, atStart, atEnd);
    };
  }
  const original: any = Object.getOwnPropertyDescriptor(StringValue.prototype, "builtins")!.get;
  Object.defineProperty(StringValue.prototype, "builtins", {
    get(this: any) {
      if (this._builtins) {
        return this._builtins;
      }
      const builtins = original.call(this);
      builtins.set("strip", method(this, true, true));
      builtins.set("lstrip", method(this, true, false));
      builtins.set("rstrip", method(this, false, true));
      if (SURROGATE.test(this.value)) {
        builtins.set("length", new IntegerValue(Array.from(this.value as string).length));
      }
      builtins.set("capitalize", new FunctionValue(() => {
        const [first = "", ...rest] = Array.from(this.value as string);
        return new StringValue(first.toUpperCase() + rest.join("").toLowerCase());
      }));
      return builtins;
    },
  });
}
