package peers;

import java.nio.FloatBuffer;

/** A JSON record of the input topic, filled by its fields' names. */
public class Event implements Features {
    public long id;
    public long sent_us;
    public float x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15;

    public long id() {
        return id;
    }

    public long sentUs() {
        return sent_us;
    }

    public void appendTo(FloatBuffer rows) {
        rows.put(x0).put(x1).put(x2).put(x3).put(x4).put(x5).put(x6).put(x7);
        rows.put(x8).put(x9).put(x10).put(x11).put(x12).put(x13).put(x14).put(x15);
    }
}
