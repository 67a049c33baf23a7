package peers;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Collections;

/** An ONNX model of sixteen floats, and the rows that it is called with next, in memory that it reads without a copy. */
public class Model {
    private static final int COLUMNS = 16;

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;
    private final String input;
    private final FloatBuffer rows;

    public Model(String file, int batch) throws OrtException {
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(1);
        options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
        session = environment.createSession(file, options);
        input = (String) session.getInputNames().iterator().next();
        rows = ByteBuffer.allocateDirect(4 * COLUMNS * batch).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    public void add(Features features) {
        features.appendTo(rows);
    }

    /** Return a score for each row that was added since the last call. */
    public FloatBuffer score() throws OrtException {
        rows.flip();
        OnnxTensor tensor = OnnxTensor.createTensor(environment, rows, new long[] {rows.limit() / COLUMNS, COLUMNS});
        OrtSession.Result result = session.run(Collections.singletonMap(input, tensor));
        FloatBuffer scores = ((OnnxTensor) result.get(0)).getFloatBuffer();
        result.close();
        tensor.close();
        rows.clear();
        return scores;
    }

    public void close() throws OrtException {
        session.close();
    }
}
