package peers;

/** A record of the output topic. */
public class Score {
    public long id;
    public long sent_us;
    public float y;
}
