package peers;

import java.nio.FloatBuffer;

/** An event as a model sees it, whatever it was decoded from. */
public interface Features {
    long id();

    long sentUs();

    void appendTo(FloatBuffer rows);
}
