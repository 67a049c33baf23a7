package millstream;

import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;

/** Makes sources of Flink's connector `kafka`, with its options, that lose nothing which a topic still has. */
public class ResumingKafkaFactory implements DynamicTableSourceFactory {

    private static final String COMMITTED = "group-offsets";

    @Override
    public String factoryIdentifier() {
        return "resuming-kafka";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return flinks().requiredOptions();
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return flinks().optionalOptions();
    }

    @Override
    public Set<ConfigOption<?>> forwardOptions() {
        return flinks().forwardOptions();
    }

    @Override
    public DynamicTableSource createDynamicTableSource(Context context) {
        String start = context.getCatalogTable().getOptions().getOrDefault("scan.startup.mode", COMMITTED);
        return new ResumingTable((ScanTableSource) flinks().createDynamicTableSource(context), start.equals(COMMITTED));
    }

    private DynamicTableSourceFactory flinks() {
        return FactoryUtil.discoverFactory(getClass().getClassLoader(), DynamicTableSourceFactory.class, "kafka");
    }
}
