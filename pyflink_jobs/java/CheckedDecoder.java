package millstream;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.functions.util.ListCollector;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.util.Collector;
import org.apache.flink.util.InstantiationUtil;

/**
 * Wraps any decoder of rows so that a record it cannot read gives a row as well: its columns are NULL, and its metadata
 * column `error` has the reason. After a record that failed, a new decoder takes over: the old one may have kept bytes
 * of it.
 */
public class CheckedDecoder extends RowDecoder {

    /** Bytes: as text in base64, with the rest of a record around it, they stay below a broker's limit (1 MB). */
    private static final int LONGEST_KEPT = 500_000;

    private final DeserializationSchema<RowData> unused; // each decoder is a copy of it
    private final boolean keepsState;
    private final int arity;
    private final String[] metadata;

    private transient InitializationContext context;
    private transient DeserializationSchema<RowData> decoder;
    private transient List<RowData> rows;
    private transient ListCollector<RowData> collector;

    /**
     * `keepsState` is whether `decoder` may keep something of a record; `type` is that of its `arity` columns and the
     * `metadata` after them.
     */
    public CheckedDecoder(
            DeserializationSchema<RowData> decoder,
            boolean keepsState,
            int arity,
            TypeInformation<RowData> type,
            String... metadata) {
        super(type);
        this.unused = decoder;
        this.keepsState = keepsState;
        this.arity = arity;
        this.metadata = metadata;
    }

    @Override
    public void open(InitializationContext context) throws Exception {
        this.context = context;
        rows = new ArrayList<>();
        collector = new ListCollector<>(rows);
        renew();
    }

    private void renew() throws Exception {
        decoder = InstantiationUtil.clone(unused, Thread.currentThread().getContextClassLoader());
        decoder.open(context);
    }

    @Override
    public void deserialize(byte[] record, Collector<RowData> out) throws IOException {
        rows.clear();
        String error = decode(record);
        if (error != null) {
            out.collect(withMetadata(new GenericRowData(arity), record, error));
        } else {
            for (RowData row : rows) {
                out.collect(withMetadata((GenericRowData) row, record, null)); // as Kafka's connector expects of formats
            }
        }
    }

    /** Put the rows of a record into `rows`; return why it cannot be read, null where it can. */
    private String decode(byte[] record) throws IOException {
        if (record == null) {
            return "the record has no value (a tombstone)";
        }
        try {
            decoder.deserialize(record, collector);
            return rows.isEmpty() ? "the format makes no row of the record" : null;
        } catch (Throwable problem) { // errors too: a bad record may nest without end, or claim any length
            renewIfNeeded();
            Throwable cause = problem.getCause() == null ? problem : problem.getCause();
            String why = cause.getMessage() == null ? cause.toString() : cause.getMessage();
            return cause instanceof UndecodableException ? why : "the record cannot be read: " + why;
        }
    }

    private void renewIfNeeded() throws IOException {
        try {
            if (keepsState) {
                renew();
            }
        } catch (Exception problem) {
            throw new IOException("a decoder that could be opened once cannot be opened again", problem);
        }
    }

    private GenericRowData withMetadata(GenericRowData row, byte[] record, String error) {
        if (metadata.length == 0) {
            return row;
        }
        GenericRowData whole = new GenericRowData(row.getRowKind(), arity + metadata.length);
        for (int i = 0; i < arity; i++) {
            whole.setField(i, row.getField(i));
        }
        for (int i = 0; i < metadata.length; i++) {
            if (metadata[i].equals("error")) {
                whole.setField(arity + i, StringData.fromString(error)); // NULL of null
            } else if (record != null && record.length <= LONGEST_KEPT) {
                whole.setField(arity + i, record);
            }
        }
        return whole;
    }
}
