package millstream;

import static millstream.WindowCounts.FOR_EVER;
import static millstream.WindowCounts.IN_TIME;
import static millstream.WindowCounts.LATE;
import static millstream.WindowCounts.LOST;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import org.apache.flink.table.annotation.ArgumentHint;
import org.apache.flink.table.annotation.ArgumentTrait;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.StateHint;
import org.apache.flink.table.api.dataview.MapView;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ProcessTableFunction;
import org.apache.flink.types.Row;

/**
 * Gathers what is compared in a window, and keeps a short form of it for the windows that follow.
 *
 * <p>Its table has `level`, `window_start` in seconds, `arrival`, and `compared`: a row of two JSON texts, `full` and
 * `brief`. A result has all full texts of a window, and of the sums that end with it; sums whose last window has no row
 * wait for the next window. Late rows and lost ones are results of their own.
 *
 * <p>Windows are numbered from 1970, and `block` of them are a block. Short texts are kept of the present block and of
 * the one before. Who judges a window needs them all, but goes on from its own memory while it has it: so `history` is
 * empty except in the first result after a start, and in the first one of a block, which has the block before too.
 * `follows` names the memory that has all results so far, `memory` the one that then has this result too.
 */
@DataTypeHint("ROW<`follows` STRING, `memory` STRING, `history` ARRAY<BYTES>, `window_start` BIGINT, `arrival` STRING, "
        + "`compared` ARRAY<STRING>>")
public class WindowHistory extends ProcessTableFunction<Row> {

    private final long window; // seconds
    private final long lateness; // seconds
    private final long block; // windows

    private transient String start; // of this function
    private transient long results;

    public WindowHistory(String window, String lateness, String block) {
        this.window = Long.parseLong(window);
        this.lateness = Long.parseLong(lateness);
        this.block = Long.parseLong(block);
    }

    @Override
    public void open(FunctionContext context) {
        start = UUID.randomUUID().toString();
        results = 0;
    }

    /** No NULL: Flink's embedded Python fails at an array that is NULL. */
    private static final byte[][] SENT = {};

    /** A window's result that is not complete. */
    public static class Pending {
        public Integer level;
        public Long time; // its last millisecond
        public String full;
        public String brief;

        public Pending() {}

        Pending(Integer level, Long time, String full, String brief) {
            this.level = level;
            this.time = time;
            this.full = full;
            this.brief = brief;
        }
    }

    /** The newest number of a window. */
    public static class Newest {
        public Long number;
    }

    /** `windows` are short texts by number, `corrections` those of late rows by window, and what they are of. */
    public void eval(
            Context context,
            @StateHint(ttl = FOR_EVER) Newest newest,
            @StateHint(ttl = FOR_EVER) MapView<String, Pending> pending,
            @StateHint(ttl = FOR_EVER) MapView<Long, byte[]> windows,
            @StateHint(ttl = FOR_EVER) MapView<String, byte[]> corrections,
            @ArgumentHint({ArgumentTrait.SET_SEMANTIC_TABLE, ArgumentTrait.REQUIRE_ON_TIME,
                    ArgumentTrait.OPTIONAL_PARTITION_BY}) Row input)
            throws Exception {
        TimeContext<Long> time = context.timeContext(Long.class);
        int level = input.<Integer>getFieldAs("level");
        long begin = input.<Long>getFieldAs("window_start");
        String arrival = input.getFieldAs("arrival");
        String key = begin + "@" + level + "@" + input.getField("feature_group") + "@" + input.getField("slice");
        Row compared = input.getFieldAs("compared");
        String full = compared.getFieldAs("full");
        String brief = compared.getFieldAs("brief");
        long last = 1000 * (begin + (window << level)) - 1;
        if (arrival.equals(LOST)) {
            collect(Row.of("", "", SENT, begin, arrival, new String[] {full}));
        } else if (time.currentWatermark() == null || time.currentWatermark() < last) {
            pending.put(key, new Pending(level, last, full, brief));
            time.registerOnTime(last);
        } else if (level == 0) { // a sum that comes after its end, from an input that was idle, is left out
            collect(result(history(windows, corrections), begin, LATE, List.of(full)));
            corrections.put(key, packed(begin, LATE, List.of(brief)));
        }
    }

    public void onTimer(
            OnTimerContext context, Newest newest, MapView<String, Pending> pending, MapView<Long, byte[]> windows,
            MapView<String, byte[]> corrections) throws Exception {
        long time = context.timeContext(Long.class).time();
        TreeMap<String, Pending> complete = new TreeMap<>();
        boolean hasWindow = false;
        for (Map.Entry<String, Pending> one : pending.entries()) {
            if (one.getValue().time <= time) {
                complete.put(one.getKey(), one.getValue());
                hasWindow |= one.getValue().level == 0;
            }
        }
        if (!hasWindow) {
            return;
        }
        List<String> full = new ArrayList<>();
        List<String> brief = new ArrayList<>();
        for (Map.Entry<String, Pending> one : complete.entrySet()) {
            full.add(one.getValue().full);
            brief.add(one.getValue().brief);
            pending.remove(one.getKey());
        }
        long begin = (time + 1) / 1000 - window;
        long number = begin / window;
        boolean nextBlock = newest.number != null && newest.number / block < number / block;
        collect(result(nextBlock ? all(windows, corrections) : history(windows, corrections), begin, IN_TIME, full));
        if (nextBlock) {
            forgetWindows(windows, (number / block - 1) * block);
        }
        forgetCorrections(corrections, begin);
        windows.put(number, packed(begin, IN_TIME, brief));
        newest.number = number;
    }

    private Row result(byte[][] history, long begin, String arrival, List<String> full) {
        String follows = start + "/" + results;
        results++;
        return Row.of(follows, start + "/" + results, history, begin, arrival, full.toArray(String[]::new));
    }

    /** What came before a result; `SENT` where it was sent already. */
    private byte[][] history(MapView<Long, byte[]> windows, MapView<String, byte[]> corrections) throws Exception {
        return results == 0 ? all(windows, corrections) : SENT;
    }

    /** All that came before, behind an empty element: it is never as `SENT` is. */
    private static byte[][] all(MapView<Long, byte[]> windows, MapView<String, byte[]> corrections) throws Exception {
        TreeMap<Long, byte[]> inOrder = new TreeMap<>();
        for (Map.Entry<Long, byte[]> one : windows.entries()) {
            inOrder.put(one.getKey(), one.getValue());
        }
        List<byte[]> found = new ArrayList<>(List.of(new byte[0]));
        found.addAll(inOrder.values());
        for (Map.Entry<String, byte[]> one : corrections.entries()) {
            found.add(one.getValue());
        }
        return found.toArray(byte[][]::new);
    }

    private static void forgetWindows(MapView<Long, byte[]> windows, long first) throws Exception {
        List<Long> old = new ArrayList<>();
        for (Long one : windows.keys()) {
            if (one < first) {
                old.add(one);
            }
        }
        for (Long one : old) {
            windows.remove(one);
        }
    }

    /** Removes what late rows brought to windows that no further ones come to. */
    private void forgetCorrections(MapView<String, byte[]> corrections, long begin) throws Exception {
        List<String> closed = new ArrayList<>();
        for (String key : corrections.keys()) {
            if (Long.parseLong(key.substring(0, key.indexOf('@'))) + window + lateness <= begin) {
                closed.add(key);
            }
        }
        for (String key : closed) {
            corrections.remove(key);
        }
    }

    private static byte[] packed(long begin, String arrival, List<String> brief) throws Exception {
        String text = "[" + begin + ",\"" + arrival + "\",[" + String.join(",", brief) + "]]";
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Deflater deflater = new Deflater(Deflater.BEST_SPEED);
        try (DeflaterOutputStream packing = new DeflaterOutputStream(out, deflater)) {
            packing.write(text.getBytes(StandardCharsets.UTF_8));
        } finally {
            deflater.end();
        }
        return out.toByteArray();
    }
}
