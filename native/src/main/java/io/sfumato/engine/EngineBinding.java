package io.sfumato.engine;

import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * Tells JavaCPP how the C header of the denoising core becomes the package {@code
 * io.sfumato.engine.binding}. Used at build time; at run time only its annotations are read. Not
 * final, because the generated class extends it.
 */
@Properties(
    value = @Platform(include = "sfumato_engine.h", link = "sfumato", library = "jniSfumato"),
    target = "io.sfumato.engine.binding",
    global = "io.sfumato.engine.binding.Sfumato")
public class EngineBinding implements InfoMapper {

  @Override
  public void map(InfoMap infoMap) {
    infoMap
        .put(new Info("SFUMATO_API").cppTypes().annotations())
        .put(new Info("sfumato_engine").pointerTypes("EngineHandle"))
        .put(new Info("sfumato_options").pointerTypes("Options"))
        .put(new Info("sfumato_info").pointerTypes("Facts"))
        .put(new Info("sfumato_item").pointerTypes("Item"))
        .put(new Info("sfumato_buffers").pointerTypes("Buffers"))
        .put(new Info("sfumato_profile_entry").pointerTypes("ProfileEntry"));
  }
}
