package peers;

import ai.onnxruntime.OrtException;
import java.nio.FloatBuffer;
import org.apache.flink.api.common.operators.ProcessingTimeService.ProcessingTimeCallback;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.ProcessingTimeService;

/** Scores events in micro-batches: when one is full, when it has waited long enough, and before each checkpoint. */
public class ScoringOperator extends AbstractStreamOperator
        implements OneInputStreamOperator, BoundedOneInput, ProcessingTimeCallback {
    private static final long WAIT_MS = 10;

    private final String file;
    private final int batch;
    private transient Model model;
    private transient long[] ids;
    private transient long[] sent;
    private transient int count;
    private transient boolean timed;

    public ScoringOperator(String file, int batch) {
        this.file = file;
        this.batch = batch;
    }

    public void open() throws Exception {
        super.open();
        model = new Model(file, batch);
        ids = new long[batch];
        sent = new long[batch];
    }

    public void processElement(StreamRecord record) throws Exception {
        Features event = (Features) record.getValue();
        model.add(event);
        ids[count] = event.id();
        sent[count] = event.sentUs();
        count++;
        if (count == batch) {
            flush();
        } else if (!timed) {
            ProcessingTimeService clock = getProcessingTimeService();
            clock.registerTimer(clock.getCurrentProcessingTime() + WAIT_MS, this);
            timed = true;
        }
    }

    public void onProcessingTime(long time) throws Exception {
        timed = false;
        flush();
    }

    public void prepareSnapshotPreBarrier(long checkpoint) throws Exception {
        flush();
    }

    public void endInput() throws Exception {
        flush();
    }

    public void close() throws Exception {
        if (model != null) {
            model.close();
        }
        super.close();
    }

    private void flush() throws OrtException {
        if (count == 0) {
            return;
        }
        FloatBuffer scores = model.score();
        for (int i = 0; i < count; i++) {
            output.collect(new StreamRecord(Score.of(ids[i], sent[i], scores.get(i))));
        }
        count = 0;
    }
}
