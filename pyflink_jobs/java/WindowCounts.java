package millstream;

import org.apache.flink.table.annotation.ArgumentHint;
import org.apache.flink.table.annotation.ArgumentTrait;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.StateHint;
import org.apache.flink.table.api.dataview.MapView;
import org.apache.flink.table.functions.ProcessTableFunction;
import org.apache.flink.types.Row;

/**
 * Adds partial counts: those of each window, and those of 2, 4, ... windows, each in one sum of each level.
 *
 * <p>Its table has `window_start`, in seconds, `arrival` and `partial`, and is partitioned by what is counted apart.
 * A row that is too late for its window corrects it within the allowed lateness: the window's counts come again, with
 * the number of late rows. Beyond that its own counts come, as 'lost'. Late rows are in no sum.
 *
 * <p>Sums of level l have the windows whose number is the same over 2^l. They come when event time passes their end.
 */
@DataTypeHint("ROW<`level` INT, `window_start` BIGINT, `arrival` STRING, `late` BIGINT, `counts` BYTES>")
public class WindowCounts extends ProcessTableFunction<Row> {

    static final String IN_TIME = "in time";
    static final String LATE = "late";
    static final String LOST = "lost";

    /** Not what `table.exec.state.ttl` says, which is for joins and aggregates. */
    static final String FOR_EVER = "0 s";

    private final long window; // seconds
    private final long lateness;
    private final int levels;

    public WindowCounts(String window, String lateness, String levels) {
        this.window = Long.parseLong(window);
        this.lateness = Long.parseLong(lateness);
        this.levels = Integer.parseInt(levels);
    }

    /** `windows` and `lateRows` are by the window's start, `sums` by level and start. */
    public void eval(
            Context context,
            @StateHint(ttl = FOR_EVER) MapView<Long, byte[]> windows,
            @StateHint(ttl = FOR_EVER) MapView<Long, Long> lateRows,
            @StateHint(ttl = FOR_EVER) MapView<String, byte[]> sums,
            @ArgumentHint({ArgumentTrait.SET_SEMANTIC_TABLE, ArgumentTrait.REQUIRE_ON_TIME}) Row input)
            throws Exception {
        TimeContext<Long> time = context.timeContext(Long.class);
        long start = input.<Long>getFieldAs("window_start");
        byte[] partial = input.getFieldAs("partial");
        String arrival = input.getFieldAs("arrival");
        long now = time.currentWatermark() == null ? Long.MIN_VALUE : time.currentWatermark();
        if (arrival.equals(LOST) || now >= last(start + kept())) {
            collect(Row.of(0, start, LOST, PartialCounts.rows(partial), partial));
            return;
        }
        boolean ended = now >= last(start + window);
        byte[] before = windows.get(start);
        byte[] counts = before == null ? partial : PartialCounts.add(before, partial);
        if (before == null) {
            time.registerOnTime(last(start + (ended ? kept() : window)));
        }
        windows.put(start, counts);
        if (ended || arrival.equals(LATE)) {
            lateRows.put(start, late(lateRows, start) + PartialCounts.rows(partial));
        }
        if (ended) {
            collect(Row.of(0, start, LATE, late(lateRows, start), counts));
        }
    }

    /** At the end of a window, its counts come and are added to sums; then the sums that end here, the shortest first. */
    public void onTimer(
            OnTimerContext context, MapView<Long, byte[]> windows, MapView<Long, Long> lateRows,
            MapView<String, byte[]> sums) throws Exception {
        TimeContext<Long> time = context.timeContext(Long.class);
        long end = (time.time() + 1) / 1000;
        long start = end - window;
        byte[] counts = windows.get(start);
        if (counts != null) {
            collect(Row.of(0, start, IN_TIME, late(lateRows, start), counts));
            for (int level = 1; level < levels; level++) {
                long first = Math.floorDiv(start, window << level) * (window << level);
                byte[] before = sums.get(key(level, first));
                sums.put(key(level, first), before == null ? counts : PartialCounts.add(before, counts));
                registerLater(time, end, first + (window << level));
            }
            registerLater(time, end, start + kept());
        }
        for (int level = 1; level < levels; level++) {
            String key = key(level, end - (window << level));
            byte[] sum = sums.get(key);
            if (sum != null) {
                collect(Row.of(level, end - (window << level), IN_TIME, 0L, sum));
                sums.remove(key);
            }
        }
        windows.remove(end - kept());
        lateRows.remove(end - kept());
    }

    /** Registers a timer, unless it is the one that fires. */
    private static void registerLater(TimeContext<Long> time, long now, long seconds) {
        if (seconds > now) {
            time.registerOnTime(last(seconds));
        }
    }

    /** How long after its start a window is kept. With allowed lateness, rows that were in it may be one window away. */
    private long kept() {
        return lateness == 0 ? window : lateness + 2 * window;
    }

    private static long late(MapView<Long, Long> lateRows, long start) throws Exception {
        Long rows = lateRows.get(start);
        return rows == null ? 0 : rows;
    }

    private static String key(int level, long start) {
        return level + "@" + start;
    }

    /** The last millisecond before a time in seconds, at which its windows end. */
    private static long last(long seconds) {
        return 1000 * seconds - 1;
    }
}
