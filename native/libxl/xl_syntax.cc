#include "xl_syntax.h"

#include <cstdio>

#include "libxl_api.h"

namespace hatchery {
namespace {

/* A parser, and the text that it reports to. */
class Parser {
  public:
    explicit Parser(const std::string& name) {
        stream_ = open_memstream(&text_, &size_);
        if (stream_ != nullptr) {
            config_ = xlu_cfg_init(stream_, name.c_str());
        }
    }
    ~Parser() {
        if (config_ != nullptr) {
            xlu_cfg_destroy(config_);
        }
        if (stream_ != nullptr) {
            fclose(stream_);
        }
        free(text_);
    }
    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;

    /* Null where there was no memory for it. */
    XLU_Config* config() const { return config_; }

    /* `value`, or undefined for an empty one, with the report so far. */
    Napi::Value outcome(Napi::Env env, Napi::Value value) {
        std::string report = "out of memory";
        if (config_ != nullptr && fflush(stream_) == 0 && text_ != nullptr) {
            report = std::string(text_, size_);
        }
        Napi::Object result = Napi::Object::New(env);
        result.Set("value", value.IsEmpty() ? env.Undefined() : value);
        result.Set("report", report);
        return result;
    }

  private:
    char* text_ = nullptr;
    size_t size_ = 0;
    FILE* stream_ = nullptr;
    XLU_Config* config_ = nullptr;
};

/* A list within lists: the parser's own, of any depth that its stack has allowed. */
Napi::Value convert(Napi::Env env, const XLU_Config* config, XLU_ConfigValue* value) {
    constexpr int kQuietly = 1;
    if (xlu_cfg_value_type(value) == XLU_STRING) {
        char* text = nullptr;
        if (xlu_cfg_value_get_string(config, value, &text, kQuietly) != 0) {
            return env.Undefined();
        }
        return Napi::String::New(env, text);
    }
    XLU_ConfigList* list = nullptr;
    Napi::Array items = Napi::Array::New(env);
    if (xlu_cfg_value_get_list(config, value, &list, kQuietly) == 0) {
        for (int i = 0; XLU_ConfigValue* item = xlu_cfg_get_listitem2(list, i); i++) {
            items.Set(static_cast<uint32_t>(i), convert(env, config, item));
        }
    }
    return items;
}

/* Undefined where the key is not set. */
Napi::Value value_of(Napi::Env env, const XLU_Config* config, const std::string& key) {
    constexpr int kQuietly = 1;
    const char* text = nullptr;
    if (xlu_cfg_get_string(config, key.c_str(), &text, kQuietly) == 0) {
        return Napi::String::New(env, text);
    }
    XLU_ConfigList* list = nullptr;
    int count = 0;
    if (xlu_cfg_get_list(config, key.c_str(), &list, &count, kQuietly) != 0) {
        return env.Undefined();
    }
    Napi::Array items = Napi::Array::New(env);
    for (int i = 0; i < count; i++) {
        items.Set(static_cast<uint32_t>(i), convert(env, config, xlu_cfg_get_listitem2(list, i)));
    }
    return items;
}

/* True and false; undefined for libxl's default. */
void set_choice(Napi::Object& object, const char* name, const libxl_defbool& choice) {
    if (!libxl_defbool_is_default(choice)) {
        object.Set(name, libxl_defbool_val(choice));
    }
}

void set_text(Napi::Object& object, const char* name, const char* text) {
    if (text != nullptr) {
        object.Set(name, text);
    }
}

Napi::Object describe(Napi::Env env, libxl_device_disk& disk) {
    Napi::Object described = Napi::Object::New(env);
    set_text(described, "backend_domname", disk.backend_domname);
    set_text(described, "pdev_path", disk.pdev_path);
    set_text(described, "vdev", disk.vdev);
    set_text(described, "backend", libxl_disk_backend_to_string(disk.backend));
    set_text(described, "format", libxl_disk_format_to_string(disk.format));
    set_text(described, "script", disk.script);
    set_text(described, "specification", libxl_disk_specification_to_string(disk.specification));
    described.Set("removable", disk.removable);
    described.Set("readwrite", disk.readwrite);
    described.Set("is_cdrom", disk.is_cdrom);
    described.Set("direct_io_safe", Napi::Boolean::New(env, disk.direct_io_safe));
    set_choice(described, "discard_enable", disk.discard_enable);
    set_choice(described, "trusted", disk.trusted);
    return described;
}

}  // namespace

/* parseConfiguration(text, name, keys): the value is an object with the keys that are set. */
Napi::Value parse_configuration(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const std::string text = info[0].ToString();
    const Napi::Array keys = info[2].As<Napi::Array>();
    Parser parser(info[1].ToString());
    if (parser.config() == nullptr ||
        xlu_cfg_readdata(parser.config(), text.data(), static_cast<int>(text.size())) != 0) {
        return parser.outcome(env, {});
    }
    Napi::Object values = Napi::Object::New(env);
    for (uint32_t i = 0; i < keys.Length(); i++) {
        const std::string key = keys.Get(i).ToString();
        const Napi::Value value = value_of(env, parser.config(), key);
        if (!value.IsUndefined()) {
            values.Set(key, value);
        }
    }
    return parser.outcome(env, values);
}

/* parseDisk(specification) */
Napi::Value parse_disk(const Napi::CallbackInfo& info) {
    const std::string specification = info[0].ToString();
    const char* const specifications[] = {specification.c_str()};
    Parser parser("disk");
    DeviceDisk disk;
    if (parser.config() == nullptr ||
        xlu_disk_parse(parser.config(), 1, specifications, disk.get()) != 0) {
        return parser.outcome(info.Env(), {});
    }
    return parser.outcome(info.Env(), describe(info.Env(), *disk.get()));
}

/* parseRate(rate) */
Napi::Value parse_rate(const Napi::CallbackInfo& info) {
    const std::string rate = info[0].ToString();
    Parser parser("rate");
    DeviceNic nic;
    if (parser.config() == nullptr ||
        xlu_vif_parse_rate(parser.config(), rate.c_str(), nic.get()) != 0) {
        return parser.outcome(info.Env(), {});
    }
    Napi::Object parsed = Napi::Object::New(info.Env());
    parsed.Set("rate_bytes_per_interval", static_cast<double>(nic->rate_bytes_per_interval));
    parsed.Set("rate_interval_usecs", static_cast<double>(nic->rate_interval_usecs));
    return parser.outcome(info.Env(), parsed);
}

}  // namespace hatchery
