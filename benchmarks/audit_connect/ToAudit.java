package audit;

import java.nio.charset.StandardCharsets;
import java.util.Date;
import java.util.Map;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.json.JsonConverter;
import org.apache.kafka.connect.transforms.Transformation;

/** Maps any event to one row: the envelope's columns and the whole event as JSON, since a JDBC sink stores nothing nested. */
public class ToAudit<R extends ConnectRecord<R>> implements Transformation<R> {
    private final JsonConverter json = new JsonConverter();
    private Schema row;

    @Override
    public ConfigDef config() {
        return new ConfigDef();
    }

    @Override
    public void configure(Map<String, ?> settings) {
        json.configure(Map.of("schemas.enable", "false", "converter.type", "value", "decimal.format", "NUMERIC"));
        row = SchemaBuilder.struct().name("audit.Row")
            .field("type", Schema.STRING_SCHEMA)
            .field("symbol", Schema.OPTIONAL_STRING_SCHEMA)
            .field("event_id", SchemaBuilder.string().name("io.debezium.data.Uuid").build())
            .field("occurred_at", SchemaBuilder.int64().name("io.debezium.time.MicroTimestamp").build())
            .field("story_id", Schema.OPTIONAL_STRING_SCHEMA)
            .field("payload", SchemaBuilder.string().name("io.debezium.data.Json").build())
            .build();
    }

    @Override
    public R apply(R record) {
        Struct event = (Struct) record.value();
        Object at = event.get("occurred_at");
        long micros = at instanceof Date ? ((Date) at).getTime() * 1000 : (Long) at;
        byte[] whole = json.fromConnectData(record.topic(), event.schema(), event);
        Struct made = new Struct(row)
            .put("type", event.schema().name())
            .put("symbol", event.getString("symbol"))
            .put("event_id", event.getString("event_id"))
            .put("occurred_at", micros)
            .put("story_id", event.getString("story_id"))
            .put("payload", new String(whole, StandardCharsets.UTF_8));
        return record.newRecord(
            record.topic(), record.kafkaPartition(), null, null, row, made, record.timestamp());
    }

    @Override
    public void close() {
        json.close();
    }
}
