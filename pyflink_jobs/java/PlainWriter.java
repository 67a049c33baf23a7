package millstream;

import java.io.Serializable;
import org.apache.flink.table.data.RowData;

/** Writes those rows that are plain in a format. */
interface PlainWriter extends Serializable {

    /** Return a row's bytes, null if it is not plain. */
    byte[] write(RowData row);
}
