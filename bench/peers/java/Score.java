package peers;

/** A record of the output topic. */
public class Score {
    public long id;
    public long sent_us;
    public float y;

    public static Score of(long id, long sentUs, float y) {
        Score score = new Score();
        score.id = id;
        score.sent_us = sentUs;
        score.y = y;
        return score;
    }
}
