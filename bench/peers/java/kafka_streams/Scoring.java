package peers;

import ai.onnxruntime.OrtException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.streams.kstream.ValueMapper;

/** Scores one JSON record at a time, as Kafka Streams hands them over, and says when all are done. */
public class Scoring implements ValueMapper {
    private final ObjectMapper json = new ObjectMapper();
    private final ThreadLocal models = new ThreadLocal();
    private final String file;
    private final AtomicLong left;
    private final CountDownLatch done;

    public Scoring(String file, long records, CountDownLatch done) {
        this.file = file;
        this.left = new AtomicLong(records);
        this.done = done;
    }

    public Object apply(Object value) {
        try {
            Event event = (Event) json.readValue((byte[]) value, Event.class);
            Model model = model();
            model.add(event);
            byte[] score = json.writeValueAsBytes(Score.of(event.id, event.sent_us, model.score().get(0)));
            if (left.decrementAndGet() == 0) {
                done.countDown();
            }
            return score;
        } catch (IOException error) {
            throw new IllegalStateException(error);
        } catch (OrtException error) {
            throw new IllegalStateException(error);
        }
    }

    private Model model() throws OrtException {
        if (models.get() == null) {
            models.set(new Model(file, 1));
        }
        return (Model) models.get();
    }
}
