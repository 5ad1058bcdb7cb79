import { oneOf, pattern, type Filter } from "../filter.ts";
import { EVERYWHERE, INPUT_AND_HEADERS } from "../places.ts";

const classes =
  oneOf(`com\\.opensymphony\\.xwork2 com\\.sun\\.org\\.apache com\\.sun\\.rowset com\\.sun\\.jndi com\\.mchange\\.v2 com\\.alibaba\\.fastjson declaredclass freemarker\\.(?:core|template|ext)
  java\\.io\\.(?:buffered\\w+|bytearray\\w+|chararray\\w+|data\\w+stream|file\\w*|filter\\w+|inputstream\\w*|ioexception|linenumberreader|object\\w+stream|outputstream\\w*|piped\\w+|print\\w+|pushback\\w+|reader|string\\w+|serializable|writer)
  java\\.lang\\.(?:class\\w*|enum|integer|long|boolean|number|object|process\\w*|reflect\\w*|runtime|string\\w*|system|thread|math|character|invoke\\w*) java\\.net\\.(?:http\\w+|jar\\w+|datagram\\w+|multicast\\w+|server\\w+|socket\\w*|ur[li]\\w*|inet\\w+) java\\.beans\\.\\w+ java\\.nio\\.\\w+ java\\.util\\.(?:scanner|zip|jar|regex|concurrent|logging|priorityqueue|prefs) java\\.rmi\\.\\w+ java\\.sql\\.driver\\w*
  java\\.(?:runtime|processbuilder|processbuilderimpl|unixprocess) javassist\\W javax\\.naming\\.\\w+ javax\\.script\\.\\w+ javax\\.xml\\.\\w+ javax\\.management\\.\\w+ javax\\.el\\.\\w+ javax\\.imageio\\.\\w+ javax\\.swing\\.\\w+ javax\\.crypto\\.\\w+ javax\\.servlet\\.\\w+
  ognlcontext ognlutil ognl\\.\\w+ org\\.apache\\.(?:commons\\.(?:collections|beanutils|io|fileupload|text|configuration|jxpath|jelly|dbcp)|struts2?|xalan|xbean|catalina|tomcat|naming|ibatis|myfaces|shiro|velocity|wicket|axis|batik|bcel|ofbiz|logging\\.log4j|commons) org\\.dom4j\\.\\w+ org\\.jdom2?\\.\\w+ org\\.omg\\.corba org\\.xml\\.sax org\\.w3c\\.dom org\\.springframework\\.(?:beans|context|expression|cglib|util|web|core|boot|jndi|aop) org\\.hibernate\\.\\w+ org\\.codehaus\\.groovy org\\.mozilla\\.(?:javascript|classfile) org\\.python\\.core org\\.jboss\\.\\w+ org\\.yaml\\.snakeyaml org\\.h2\\.\\w+ org\\.slf4j\\.\\w+
  propertyutilsbean bsh\\.interpreter bsh\\.servlet sun\\.(?:reflect|misc|rmi|net|nio) jdk\\.(?:internal|nashorn|jshell) nashorn rhino\\.\\w+ groovy\\.(?:lang|util|json) scriptenginemanager objectinputstream marshalledobject annotationinvocationhandler chainedtransformer invokertransformer instantiatetransformer constanttransformer lazymap templatesimpl urlclassloader
  getruntime processbuilder xmldecoder beanutils unmarshaller(?:$|\\W) clonetransformer forclosure instantiatefactory prototypeclonefactory prototypeserializationfactory whileclosure getproperty\\( xstream\\W`);

export const javaCode: Filter = {
  id: 100_801,
  name: "java-code",
  message: "A value names classes of Java, or runs them",
  attackClass: "code-execution",
  score: 5,
  catches:
    "Classes by which Java runs programs, loads classes or reads files, expressions of OGNL and SpEL, access to the class loader through a bean's properties, calls of methods on them.",
  letsPass: "Exceptions and traces, and the same within sentences or several lines.",
  example: "(#a=@java.lang.Runtime@getRuntime().exec('id'))",
  places: [...EVERYWHERE, "part"],
  checks: [
    pattern("script", `(?:^|[^\\w])${classes}`),
    pattern(
      "plain",
      `\\bclass\\s*(?:\\.|\\[\\s*["']?)\\s*(?:module\\b|classloader)|\\bclassloader\\b|(?:^|[^\\w])\\(?#(?:\\w+\\s*=|_memberaccess|context|parameters|application|session|attr)\\b|@(?:java|javax|org|com|ognl|sun)\\.[\\w.]+@|#cmd\\b|\\bdenymethodexecution\\b|\\ballowstaticmethodaccess\\b|\\bmethod:#|\\b(?:redirect|redirectaction|action):\\s*[$%]\\{`,
    ),
    pattern(
      "script",
      `\\.(?:getruntime|getclass|forname|newinstance|getdeclaredmethods?|getmethod|invoke|exec|loadclass|getenginebyname|defineclass|getresource|getclassloader|start|eval|readobject|getinputstream|addurl|setaccessible|lookup)\\s*\\(\\s*(?:["')]|\\w+\\.)`,
      { places: INPUT_AND_HEADERS },
    ),
    pattern(
      "plain",
      `\\bt\\s*\\(\\s*java\\.|\\bnew\\s+(?:java|javax|org|com|sun)\\.\\w|<%@?\\s*(?:page|taglib|include|import)\\b|<jsp:\\w+|<(?:java|void|object)\\s+(?:version|class|method)\\s*=|"@type"\\s*:\\s*"(?:com|java|javax|org|\\[)|\\["(?:com|java|javax|org)\\.[\\w.]+"\\s*,|<bean\\s+[^>]*class\\s*=|<dynamic-proxy|<sorted-set|<tree-map|<jdk\\.nashorn|rmi://|\\bspel\\b.*\\(|\\bscript_?engine\\b`,
    ),
    pattern("script", `\\bjava\\b\\S*[^\\w\\s](?:runtime|processbuilder)\\b`),
  ],
};
