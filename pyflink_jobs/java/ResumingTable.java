package millstream;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.KafkaSourceEnumState;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamSource;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.transformations.SourceTransformation;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.ProviderContext;
import org.apache.flink.table.connector.source.DataStreamScanProvider;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.connector.source.abilities.SupportsReadingMetadata;
import org.apache.flink.table.connector.source.abilities.SupportsWatermarkPushDown;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.DataType;

/** Flink's table in Kafka, whose source is a {@link ResumingSource}; names and ids of its state are Flink's. */
class ResumingTable implements ScanTableSource, SupportsReadingMetadata, SupportsWatermarkPushDown {

    private final ScanTableSource flinks;
    private final boolean atCommitted;

    /** `atCommitted` is whether it starts at the offsets that its group has committed. */
    ResumingTable(ScanTableSource flinks, boolean atCommitted) {
        this.flinks = flinks;
        this.atCommitted = atCommitted;
    }

    @Override
    public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
        DataStreamScanProvider provider = (DataStreamScanProvider) flinks.getScanRuntimeProvider(context);
        return new DataStreamScanProvider() {

            @Override
            public DataStream<RowData> produceDataStream(ProviderContext context, StreamExecutionEnvironment environment) {
                return resuming(provider.produceDataStream(context, environment), environment);
            }

            @Override
            public boolean isBounded() {
                return provider.isBounded();
            }

            @Override
            public Optional<Integer> getParallelism() {
                return provider.getParallelism();
            }
        };
    }

    @SuppressWarnings("unchecked") // the connector makes no other kind of stream
    private DataStream<RowData> resuming(DataStream<RowData> stream, StreamExecutionEnvironment environment) {
        SourceTransformation<RowData, KafkaPartitionSplit, KafkaSourceEnumState> read =
                (SourceTransformation<RowData, KafkaPartitionSplit, KafkaSourceEnumState>) stream.getTransformation();
        ResumingSource source = new ResumingSource((KafkaSource<RowData>) read.getSource(), atCommitted);
        DataStreamSource<RowData> ours = environment.fromSource(source, read.getWatermarkStrategy(), read.getName());
        if (read.getUid() != null) {
            ours.uid(read.getUid());
        }
        return ours;
    }

    @Override
    public ChangelogMode getChangelogMode() {
        return flinks.getChangelogMode();
    }

    @Override
    public Map<String, DataType> listReadableMetadata() {
        return ((SupportsReadingMetadata) flinks).listReadableMetadata();
    }

    @Override
    public void applyReadableMetadata(List<String> keys, DataType produced) {
        ((SupportsReadingMetadata) flinks).applyReadableMetadata(keys, produced);
    }

    @Override
    public boolean supportsMetadataProjection() {
        return ((SupportsReadingMetadata) flinks).supportsMetadataProjection();
    }

    @Override
    public void applyWatermark(WatermarkStrategy<RowData> strategy) {
        ((SupportsWatermarkPushDown) flinks).applyWatermark(strategy);
    }

    @Override
    public DynamicTableSource copy() {
        return new ResumingTable((ScanTableSource) flinks.copy(), atCommitted);
    }

    @Override
    public String asSummaryString() {
        return flinks.asSummaryString();
    }
}
