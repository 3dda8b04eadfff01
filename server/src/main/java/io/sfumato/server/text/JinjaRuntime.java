package io.sfumato.server.text;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.function.UnaryOperator;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.ContextFactory;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.LambdaFunction;
import org.mozilla.javascript.RhinoException;
import org.mozilla.javascript.Scriptable;
import org.mozilla.javascript.ScriptableObject;

/**
 * Hugging Face's Jinja interpreter, the JavaScript one, run by Rhino. Thread-safe: one call at a
 * time.
 *
 * <p>Scripts see no Java and no clock but the given one; each call may take a bounded number of
 * interpreter instructions.
 */
final class JinjaRuntime {

  /** A template that failed, with the reason it gave. */
  static final class JinjaException extends Exception {
    private static final long serialVersionUID = 1L;

    JinjaException(String message) {
      super(message);
    }
  }

  private static final String SCRIPT = "jinja/jinja.js";
  private static final int OBSERVER_INTERVAL = 100_000;
  private static final int MAX_STACK_DEPTH = 4_000;
  private static final int MAX_OUTPUT = 16 << 20;

  private final BoundedContextFactory contexts;
  private final ScriptableObject scope;
  private final Function parse;
  private final Function render;

  /**
   * Loads the interpreter; takes about half a second of processor time.
   *
   * @param maxInstructions bound of each call, in Rhino's interpreter instructions
   */
  JinjaRuntime(long maxInstructions) {
    contexts = new BoundedContextFactory(maxInstructions);
    try (Context context = contexts.enterContext()) {
      scope = context.initSafeStandardObjects();
      context.evaluateString(scope, script(), SCRIPT, 1, null);
      Scriptable library = (Scriptable) ScriptableObject.getProperty(scope, "jinja");
      parse = (Function) ScriptableObject.getProperty(library, "parse");
      render = (Function) ScriptableObject.getProperty(library, "render");
    }
  }

  /** A parsed template, to be handed to {@link #render}. */
  synchronized Object parse(String template) throws JinjaException {
    return call(parse, context -> new Object[] {template});
  }

  /**
   * @param program of {@link #parse}
   * @param variables JSON object
   * @param strftimeNow formats the present time
   */
  synchronized String render(Object program, String variables, UnaryOperator<String> strftimeNow)
      throws JinjaException {
    Object result =
        call(
            render,
            context -> {
              LambdaFunction now =
                  new LambdaFunction(
                      scope,
                      "strftime_now",
                      1,
                      (current, currentScope, self, arguments) ->
                          strftimeNow.apply(
                              arguments.length == 0 ? "" : Context.toString(arguments[0])));
              return new Object[] {program, variables, now};
            });
    CharSequence text = (CharSequence) result;
    if (text.length() > MAX_OUTPUT) {
      throw new JinjaException(
          "output: " + text.length() + " characters (expected: at most " + MAX_OUTPUT + ")");
    }
    return text.toString();
  }

  private Object call(Function function, java.util.function.Function<Context, Object[]> arguments)
      throws JinjaException {
    try (Context context = contexts.enterContext()) {
      contexts.restart();
      return function.call(context, scope, scope, arguments.apply(context));
    } catch (RhinoException e) {
      throw new JinjaException(
          e.details().replaceFirst("^(Uncaught )?(Syntax|Type|Range)?Error: ", ""));
    } catch (InstructionLimit | StackOverflowError e) {
      String what =
          e instanceof InstructionLimit
              ? "instructions: more than " + contexts.maxInstructions
              : "nesting: too deep";
      throw new JinjaException(what + " (expected: a template of bounded work)");
    }
  }

  private static String script() {
    try (InputStream stream = JinjaRuntime.class.getResourceAsStream(SCRIPT)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** An Error, so that no script can catch it. */
  private static final class InstructionLimit extends Error {
    private static final long serialVersionUID = 1L;

    InstructionLimit() {
      super("instruction limit", null, false, false);
    }
  }

  private static final class BoundedContextFactory extends ContextFactory {
    private final long maxInstructions;
    private long left;

    BoundedContextFactory(long maxInstructions) {
      this.maxInstructions = maxInstructions;
      restart();
    }

    void restart() {
      left = maxInstructions;
    }

    @Override
    protected Context makeContext() {
      Context context = super.makeContext();
      context.setLanguageVersion(Context.VERSION_ES6);
      context.setInterpretedMode(true);
      context.setInstructionObserverThreshold(OBSERVER_INTERVAL);
      context.setMaximumInterpreterStackDepth(MAX_STACK_DEPTH);
      return context;
    }

    @Override
    protected void observeInstructionCount(Context context, int instructionCount) {
      left -= instructionCount;
      if (left < 0) {
        throw new InstructionLimit();
      }
    }
  }
}
