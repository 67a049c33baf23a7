package millstream;

import java.util.HashMap;
import java.util.Map;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;

/** Returns the reason it is given, and counts it in Flink's metrics, with the labels `source` and `reason`. */
public class QuarantineCounter extends ScalarFunction {

    private final String source;
    private final String[] reasons;
    private transient Map<String, Counter> counters;

    public QuarantineCounter(String source, String[] reasons) {
        this.source = source;
        this.reasons = reasons;
    }

    @Override
    public void open(FunctionContext context) throws Exception {
        MetricGroup group = context.getMetricGroup().addGroup("millstream").addGroup("source", source);
        counters = new HashMap<>();
        // All from the start: a rate cannot be seen in a counter whose first value is not 0.
        for (String reason : reasons) {
            counters.put(reason, group.addGroup("reason", reason).counter("quarantined"));
        }
    }

    public String eval(String reason) {
        Counter counter = counters.get(reason);
        if (counter != null) {
            counter.inc();
        }
        return reason;
    }

    /** A call that counts must not be computed while planning, nor be moved or merged. */
    @Override
    public boolean isDeterministic() {
        return false;
    }
}
