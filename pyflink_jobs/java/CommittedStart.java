package millstream;

import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.TopicPartition;

/**
 * Starts at the offsets that the source's group has committed, and without one where `auto.offset.reset` says.
 *
 * <p>Flink's own leaves that to Kafka's client, for which the same property says where to go on when records are gone.
 */
@SuppressWarnings("deprecation") // the connector's interface is of OffsetResetStrategy, which Kafka 4 deprecates
class CommittedStart implements OffsetsInitializer {

    private final OffsetsInitializer flinks;

    CommittedStart(OffsetsInitializer flinks) {
        this.flinks = flinks;
    }

    @Override
    public Map<TopicPartition, Long> getPartitionOffsets(
            Collection<TopicPartition> partitions, PartitionOffsetsRetriever broker) {
        Map<TopicPartition, Long> found = new HashMap<>(broker.committedOffsets(partitions));
        Set<TopicPartition> others = new HashSet<>(partitions);
        others.removeAll(found.keySet());
        if (others.isEmpty()) {
            return found;
        }
        OffsetResetStrategy reset = getAutoOffsetResetStrategy();
        if (reset == OffsetResetStrategy.NONE) {
            throw new IllegalStateException(
                    "'scan.startup.mode' is 'group-offsets', and the group has committed no offset of " + others
                            + ": say where to start, with 'properties.auto.offset.reset' = 'earliest'");
        }
        boolean first = reset == OffsetResetStrategy.EARLIEST;
        found.putAll(first ? broker.beginningOffsets(others) : broker.endOffsets(others));
        return found;
    }

    @Override
    public OffsetResetStrategy getAutoOffsetResetStrategy() {
        return flinks.getAutoOffsetResetStrategy();
    }
}
