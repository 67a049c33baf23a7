package millstream;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.admin.Admin;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.TopicPartition;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.table.data.RowData;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Flink's reader, which counts the records that a topic no longer has of those that the job is to go on with. */
class ResumingReader implements SourceReader<RowData, KafkaPartitionSplit> {

    private static final Logger LOG = LoggerFactory.getLogger(ResumingReader.class);
    private static final int PATIENCE = 30; // seconds

    private final SourceReader<RowData, KafkaPartitionSplit> flinks;
    private final Properties client;
    private final MetricGroup metrics;
    private final Map<TopicPartition, Counter> counters = new HashMap<>();

    ResumingReader(SourceReader<RowData, KafkaPartitionSplit> flinks, Properties client, MetricGroup metrics) {
        this.flinks = flinks;
        this.client = client;
        this.metrics = metrics.addGroup("millstream");
    }

    @Override
    public void addSplits(List<KafkaPartitionSplit> splits) {
        Map<TopicPartition, Long> next = new HashMap<>();
        for (KafkaPartitionSplit split : splits) {
            counterOf(split.getTopicPartition()); // from the start: a rate cannot be seen in a first value other than 0
            if (split.getStartingOffset() >= 0) { // one below 0 stands for an end of the topic
                next.put(split.getTopicPartition(), split.getStartingOffset());
            }
        }
        if (!next.isEmpty()) {
            count(next);
        }
        flinks.addSplits(splits);
    }

    private Counter counterOf(TopicPartition part) {
        return counters.computeIfAbsent(part, key -> metrics
                .addGroup("topic", key.topic())
                .addGroup("partition", String.valueOf(key.partition()))
                .counter("expired"));
    }

    /** Count what lies between the offsets that are `next` and the first ones that there are. */
    private void count(Map<TopicPartition, Long> next) {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        next.keySet().forEach(part -> asked.put(part, OffsetSpec.earliest()));
        try (Admin admin = Admin.create(client)) {
            admin.listOffsets(asked).all().get(PATIENCE, TimeUnit.SECONDS).forEach((part, first) -> {
                long gone = first.offset() - next.get(part);
                if (gone > 0) {
                    counterOf(part).inc(gone);
                    LOG.warn("{} records of partition {} of topic {} have expired before they were read, offsets {} to"
                            + " {}; the job goes on with the oldest that is left", gone, part.partition(), part.topic(),
                            next.get(part), first.offset() - 1);
                }
            });
        } catch (InterruptedException problem) {
            Thread.currentThread().interrupt();
        } catch (Exception problem) { // whether records can be read, the reader finds out
            LOG.warn("it is not known whether records have expired before they were read", problem);
        }
    }

    @Override
    public InputStatus pollNext(ReaderOutput<RowData> output) throws Exception {
        return flinks.pollNext(output);
    }

    @Override
    public void start() {
        flinks.start();
    }

    @Override
    public List<KafkaPartitionSplit> snapshotState(long checkpoint) {
        return flinks.snapshotState(checkpoint);
    }

    @Override
    public CompletableFuture<Void> isAvailable() {
        return flinks.isAvailable();
    }

    @Override
    public void notifyNoMoreSplits() {
        flinks.notifyNoMoreSplits();
    }

    @Override
    public void handleSourceEvents(SourceEvent event) {
        flinks.handleSourceEvents(event);
    }

    @Override
    public void notifyCheckpointComplete(long checkpoint) throws Exception {
        flinks.notifyCheckpointComplete(checkpoint);
    }

    @Override
    public void notifyCheckpointAborted(long checkpoint) throws Exception {
        flinks.notifyCheckpointAborted(checkpoint);
    }

    @Override
    public void pauseOrResumeSplits(Collection<String> pause, Collection<String> resume) {
        flinks.pauseOrResumeSplits(pause, resume);
    }

    @Override
    public void close() throws Exception {
        flinks.close();
    }
}
