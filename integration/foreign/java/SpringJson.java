import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * The same session with values in JSON, by Jackson set up as Spring's GenericJackson2JsonRedisSerializer does: the class of
 * whatever is of no final class stands in its text.
 */
public final class SpringJson {
    public static void main(String[] words) throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        mapper.setVisibility(PropertyAccessor.FIELD, JsonAutoDetect.Visibility.ANY);
        mapper.activateDefaultTyping(mapper.getPolymorphicTypeValidator(), ObjectMapper.DefaultTyping.NON_FINAL, JsonTypeInfo.As.PROPERTY);
        SpringSession.serializer = mapper::writeValueAsBytes;
        SpringSession.main(words);
    }
}
