rule prepare:
    output:
        MANIFESTS["prepare"],
    log:
        os.path.join(OUT, "logs", "prepare.log"),
    benchmark:
        os.path.join(OUT, "benchmarks", "prepare.tsv")
    resources:
        **asked("prepare"),
    params:
        call=call("prepare"),
    message:
        REASONS["prepare"]
    shell:
        # 3: finished, with the recordings that were left out on a list.
        "{params.call} --log {log:q} || [ $? -eq 3 ]"
